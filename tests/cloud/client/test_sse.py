"""Server-sent events are parsed from any division into pieces."""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.client.sse import EventParser
from costeer.cloud.wire.checksum import BrokenStreamError


def parse(*pieces: Any) -> Any:
    parser = EventParser()
    return [data for piece in pieces for data in parser.feed(piece)]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"data: a\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data: a\r\n\r\ndata: b\r\r", ["a", "b"]),
        (b"data: a\ndata: b\n\n", ["a\nb"]),
        (b": comment\n\ndata: a\n\n", ["a"]),
        (b"event: x\nid: 1\nretry: 5\ndata: a\n\n", ["a"]),
        (b"data: a\n", []),
        (b"data: a", []),
        (b"", []),
        ("data: é\x85 \x0b\n\n".encode(), ["é\x85 \x0b"]),
        (b"data\n\n", []),
    ],
)
def test_table(raw: Any, expected: Any) -> None:
    assert parse(raw) == expected


@pytest.mark.parametrize("raw", [b"hello\n", b"error: {}\n", b"data: \xff\n\n", b"<html>\n"])
def test_garbage(raw: Any) -> None:
    with pytest.raises(BrokenStreamError):
        parse(raw)


LINE = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=20)


@pytest.mark.slow
@given(
    st.lists(LINE, max_size=6),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 200), max_size=30),
)
def test_boundaries_do_not_matter(texts: Any, end: Any, cuts: Any) -> None:
    raw = "".join(f"data: {text}{end}{end}" for text in texts).encode()
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    pieces = [raw[a:b] for a, b in pairwise(edges)]
    assert parse(*pieces) == parse(raw) == texts


@given(st.lists(st.binary(max_size=30), max_size=10))
def test_garbage_never_escapes_as_another_error(pieces: Any) -> None:
    with suppress(BrokenStreamError):
        assert all(isinstance(data, str) for data in parse(*pieces))
