"""Pieces of compressed streams are of whole blocks, and any gunzip reads them."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costeer.serving.padded_gzip import BLOCK, PaddedGzip, padded_size


@given(st.lists(st.binary(max_size=3000), min_size=1, max_size=6))
def test_every_piece_is_readable_at_once_and_of_whole_blocks(bodies: Any) -> None:
    stream, reader, whole = PaddedGzip(), zlib.decompressobj(wbits=31), b""
    for number, body in enumerate(bodies, 1):
        piece = stream.write(body, more=number < len(bodies))
        assert len(piece) % BLOCK == 0
        assert reader.decompress(piece) == body
        whole += piece
    assert reader.eof
    assert gzip.decompress(whole) == b"".join(bodies)


@given(st.integers(1, 10_000_000))
def test_padding_is_of_a_size_that_empty_blocks_can_have(size: Any) -> None:
    padded = padded_size(size)
    assert padded == size or padded - size >= 20
    assert padded % BLOCK == 0
    assert padded <= max(size * 1.25, size + BLOCK + 20)


def test_few_sizes_are_left() -> None:
    assert len({padded_size(size) for size in range(1, 1 << 20)}) < 90
