"""What comes down has sizes that depend on how many log-probabilities were asked for only."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.base import CloudStep
from costeer.cloud.server.chunks import ChunkBuilder, frame_sizes
from costeer.cloud.server.requests import Limits, parse
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.models.base import LogProbs
from costeer.models.fake import END, FakeModel
from costeer.models.text import TextStream
from costeer.serving.body import dump
from costeer.serving.padded_gzip import PaddedGzip
from tests.support.serving import running

TOKENS = 20
FEW, MANY = 320, 1 << 16
COMPACT = {"stream": True, "logprobs_encoding": "base64"}


class EqualModel(FakeModel):
    """All tokens are equally likely, so it always writes the first one, and rows compress well."""

    def logprobs(self, ids: Sequence[int]) -> LogProbs:
        return np.full(self.vocab_size, -np.log(self.vocab_size), np.float32)


class EndingModel(FakeModel):
    """Ends the answer, by itself or with an error, where another would write its last token."""

    def __init__(self, *args: Any, fails: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fails = fails

    def logprobs(self, ids: Sequence[int]) -> LogProbs:
        row = super().logprobs(ids)
        if len(ids) < 3 + TOKENS - 1:
            row[END] = row.min()
        elif self.fails:
            raise RuntimeError
        else:
            row[END] = 1.0
        return row


def stream_bytes(url: Any, **request: Any) -> bytes:
    """Everything that comes down after the response's head, as it crosses the network."""
    body = json.dumps({"max_tokens": TOKENS, **COMPACT, **request}).encode()
    head = (
        "POST /v1/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n"
        "accept-encoding: gzip\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", urlsplit(url).port)) as connection:
        connection.sendall(head.encode() + body)
        data = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    return data.partition(b"\r\n\r\n")[2]


def chunk_sizes(data: bytes) -> list[int]:
    """The sizes of the chunks of a response."""
    sizes = []
    while size := int((line := data.partition(b"\r\n"))[0], 16):
        sizes.append(size)
        data = line[2][size + 2 :]
    return sizes


def sizes_by(models: Any, k: Any) -> Any:
    """The different series of sizes that models give."""
    found = set()
    for model in models:
        with running(model) as app:
            for prompt in ([1, 2, 3], [260, 259, 258]):
                found.add(tuple(chunk_sizes(stream_bytes(app.url, prompt=prompt, logprobs=k))))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 24, 64, 128, 250])
def test_sizes_tell_how_many_log_probabilities_were_asked_for_and_nothing_else(k: Any) -> None:
    models = [
        EqualModel(MANY),
        FakeModel(FEW, seed=1),
        FakeModel(FEW, seed=2, peak=200.0),
        FakeModel(MANY, seed=3, peak=0.01),
    ]
    (sizes,) = sizes_by(models, k)
    first, *steps, _ = sizes
    assert len(steps) == TOKENS - 1
    assert set(steps) == {frame_sizes(k, "fake-0")[0]}
    assert first == sum(frame_sizes(k, "fake-0"))


@pytest.mark.slow
@pytest.mark.parametrize("k", [1, 64])
def test_sizes_do_not_tell_why_an_answer_ends(k: Any) -> None:
    models = [EqualModel(), EndingModel(fails=False), EndingModel(fails=True)]
    (sizes,) = sizes_by(models, k)
    assert len(sizes) == TOKENS + 1


rows = st.tuples(
    st.integers(1, 300), st.sampled_from([300, 1 << 15, 1 << 18]), st.floats(0, 1e30), st.binary()
)


@pytest.mark.slow
@given(rows, st.text(max_size=200))
def test_steps_with_any_ids_and_values_fit(row: Any, name: Any) -> None:
    k, vocab_size, spread, seed = row
    rng = np.random.default_rng(list(seed))
    request = parse({"prompt": "Q", "logprobs": k, **COMPACT}, Limits(logprobs=k))
    parts = request, name, FakeModel().tokenizer, TextStream(), StreamChecksum([1])
    chunks = ChunkBuilder(*parts)
    size, opening = frame_sizes(k, name)
    stream = PaddedGzip(size, opening)
    sizes = []
    for reason in (None, None, None, random.choice(["stop", "length"])):
        ids = rng.integers(0, vocab_size, k).astype(np.int32)
        values = -np.sort(rng.random(k) * spread).astype(np.float32)
        chunk = chunks.chunk(CloudStep(int(ids[0]), ids, values), reason)
        sizes.append(len(stream.write(b"data: " + dump(chunk) + b"\n\n")))
    assert sizes == [size + opening, size, size, size]


def test_only_a_compact_stream_goes_without_text() -> None:
    fields = {"prompt": "Q", "logprobs": 2, **COMPACT}
    assert not parse(fields, Limits()).spells_text
    for change in ({"stream": False}, {"logprobs": None}, {"logprobs_encoding": None}):
        assert parse(fields | change, Limits()).spells_text
