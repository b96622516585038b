"""Bytes of a step that comes down, and the time to decode it: padded, and compressed alone.

    python bench/frames.py [--json]

Random rows over the vocabulary of Qwen2.5 (V = 151,936), as our own server sends them. The spread
of sizes without padding is what an observer could read.
"""

from __future__ import annotations

import time
import zlib
from typing import Any

import numpy as np
from common import argument_parser, report

from costeer.cloud.base import CloudStep
from costeer.cloud.server.chunks import ChunkBuilder, frame_sizes
from costeer.cloud.server.requests import Limits, parse
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.models.fake import FakeModel
from costeer.models.text import TextStream
from costeer.serving.body import dump
from costeer.serving.padded_gzip import PaddedGzip

V, STEPS, ROUNDS = 151_936, 200, 15
MODEL = "qwen2.5-coder-1.5b"


def events(k: int) -> list[bytes]:
    """The events of one answer; half of its rows are flat, and compress better."""
    fields = {"prompt": "Q", "logprobs": k, "logprobs_encoding": "base64", "stream": True}
    request = parse(fields, Limits(logprobs=k))
    chunks = ChunkBuilder(request, MODEL, FakeModel().tokenizer, TextStream(), StreamChecksum([]))
    rng = np.random.default_rng(0)
    found = []
    for number in range(STEPS):
        ids = rng.permutation(V)[:k].astype(np.int32)
        values = np.sort(np.log(rng.random(k)))[::-1] - 1.0
        row = np.full(k, -np.log(V)) if number % 2 else values
        step = CloudStep(int(ids[0]), ids, row.astype(np.float32))
        found.append(b"data: " + dump(chunks.chunk(step, None)) + b"\n\n")
    return found


def compress(bodies: list[bytes]) -> list[bytes]:
    """The pieces of a stream without padding."""
    deflate = zlib.compressobj(wbits=31)
    return [deflate.compress(body) + deflate.flush(zlib.Z_SYNC_FLUSH) for body in bodies]


def microseconds(pieces: list[bytes]) -> float:
    """The time to decompress one piece, the least over rounds."""
    times = []
    for _ in range(ROUNDS):
        reader = zlib.decompressobj(wbits=31)
        started = time.perf_counter()
        for piece in pieces:
            reader.decompress(piece)
        times.append(time.perf_counter() - started)
    return 1e6 * min(times) / len(pieces)


def measure(k: int) -> dict[str, Any]:
    """Sizes and times at k log-probabilities a step, without the first event of a stream."""
    bodies = events(k)
    padded = PaddedGzip(*frame_sizes(k, MODEL))
    ways = {"alone": compress(bodies), "padded": [padded.write(body) for body in bodies]}
    figures: dict[str, Any] = {}
    for way, pieces in ways.items():
        sizes = sorted({len(piece) for piece in pieces[1:]})
        figures[f"k = {k}: bytes, {way}"] = f"{sizes[0]} to {sizes[-1]}"
        figures[f"k = {k}: us to decompress, {way}"] = microseconds(pieces)
    return figures


def main() -> None:
    """Measure several widths."""
    options = argument_parser(__doc__).parse_args()
    figures: dict[str, Any] = {}
    for k in (1, 64, 256, 4096):
        figures |= measure(k)
    report(figures, options.json)


if __name__ == "__main__":
    main()
