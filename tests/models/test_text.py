"""Bytes become text, and stop texts end it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ParameterError
from costeer.models.text import TextStream


@given(st.text(), st.lists(st.integers(1, 5)))
def test_any_cutting_of_the_bytes_gives_the_same_text(text: Any, sizes: Any) -> None:
    raw, stream, shown = text.encode(), TextStream(), ""
    for size in sizes:
        shown += stream.feed(raw[:size])
        raw = raw[size:]
    assert shown + stream.feed(raw, final=True) == text


def test_a_character_is_shown_when_it_is_whole() -> None:
    stream = TextStream()
    assert [stream.feed(bytes([byte])) for byte in "ä€".encode()] == ["", "ä", "", "", "€"]


def test_broken_bytes_at_the_end_become_a_replacement_character() -> None:
    assert TextStream().feed(b"a\xe2\x82", final=True) == "a\ufffd"


@pytest.mark.parametrize(
    ("pieces", "stop", "expected"),
    [
        (["one EN", "D two"], ["END"], "one "),
        (["one E", "lse"], ["END"], "one Else"),
        (["abab", "ac"], ["abac"], "ab"),
        (["x\n", "\ny"], ["\n\n", "y"], "x"),
        (["END"], ["END"], ""),
        (["b a"], ["a", "b"], ""),
        (["EN"], ["END"], "EN"),
        (["xxstop"], ["stop", "xs"], "x"),
    ],
)
def test_stop_strings(pieces: Any, stop: Any, expected: Any) -> None:
    stream = TextStream(stop)
    shown = "".join(stream.feed(piece.encode()) for piece in pieces)
    shown += stream.feed(b"", final=True)
    assert shown == expected
    assert stream.stopped == any(text in "".join(pieces) for text in stop)


def test_a_broken_character_before_a_stop_string_is_replaced() -> None:
    stream = TextStream(["x"])
    assert stream.feed(b"\xc3") + stream.feed(b"x") == "\ufffd"
    assert stream.stopped


@given(st.text("ab", max_size=12), st.text("ab", min_size=1, max_size=3))
def test_stop_strings_cut_where_find_does(text: Any, stop: Any) -> None:
    stream = TextStream([stop])
    shown = "".join(stream.feed(letter.encode()) for letter in text)
    shown += stream.feed(b"", final=True)
    at = text.find(stop)
    assert shown == (text if at < 0 else text[:at])


def test_an_empty_stop_string_is_refused() -> None:
    with pytest.raises(ParameterError, match="must not be empty"):
        TextStream([""])
