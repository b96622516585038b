"""Pieces of compressed streams are of given sizes, and any gunzip reads them."""

from __future__ import annotations

import gzip
import zlib
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costeer.serving.padded_gzip import END, PaddedGzip

bodies_of_a_stream = st.lists(st.binary(max_size=3000), min_size=1, max_size=6)


@given(bodies_of_a_stream, st.integers(20, 4000), st.integers(0, 400))
def test_every_piece_is_readable_at_once_and_of_a_given_size(
    bodies: Any, size: Any, opening: Any
) -> None:
    stream, reader, whole = PaddedGzip(size, opening), zlib.decompressobj(wbits=31), b""
    for number, body in enumerate(bodies):
        piece = stream.write(body)
        assert (len(piece) - (0 if number else opening)) % size == 0
        assert reader.decompress(piece) == body
        whole += piece
    last = stream.write(b"data: [DONE]\n\n", more=False)
    assert len(last) == END
    assert gzip.decompress(whole + last) == b"".join(bodies) + b"data: [DONE]\n\n"


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=6))
def test_pieces_with_room_for_their_bodies_are_all_of_one_size(bodies: Any) -> None:
    stream = PaddedGzip(400, opening=20)
    sizes = [len(stream.write(body)) for body in bodies]
    assert sizes == [420] + [400] * (len(bodies) - 1)


@given(st.binary(max_size=3000))
def test_a_long_end_is_readable_too(body: Any) -> None:
    end = PaddedGzip(100).write(body, more=False)
    assert len(end) % END == 0
    assert gzip.decompress(end) == body
