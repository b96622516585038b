"""Words and runs of a private text in another text."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.spans import Spans, split_words

COMMON = {"i", "am", "the", "a", "my", "and", "with", "in", "to", "is"}
PRIVATE = "I live in Porto with my dog Biscuit.\n\nI am vegan and my code is 4471."


@pytest.mark.parametrize(
    ("text", "words", "runs"),
    [
        ("", (), ()),
        ("Nothing of it.", (), ()),
        ("A VEGAN dinner in Porto!", ("vegan", "porto"), ()),
        ("You live in\nPorto, with your dog", ("live", "porto", "dog"), ("live in Porto, with",)),
        ("so: live in Porto with my dog. End", ("live", "porto", "dog"),
         ("live in Porto with my dog",)),
        ("dog Biscuit I am vegan", ("dog", "biscuit", "vegan"), ()),
        ("44711 4471", ("4471",), ()),
        ("vegan and my code; vegan and my code", ("vegan", "code"), ("vegan and my code",)),
    ],
)  # fmt: skip
def test_what_is_found(text: Any, words: Any, runs: Any) -> None:
    found = Spans(PRIVATE, COMMON).find(text)
    assert (found.words, found.runs) == (words, runs)


def test_what_the_person_typed_does_not_count() -> None:
    spans = Spans(PRIVATE, COMMON, "Where do I live in Porto with a dog?")
    found = spans.find("Live in Porto with Biscuit")
    assert found.words == ("biscuit",)
    assert found.runs == ()


def test_common_words_in_a_row_are_no_piece() -> None:
    assert Spans("I am in the", COMMON).find("I am in the").runs == ()


def test_windows_line_ends_separate_records_and_apostrophes_are_one() -> None:
    assert Spans("one two\r\n\r\nthree four", set()).find("one two three four").runs == ()
    assert Spans("It\u2019s Ann's big house", set()).find("it's ann\u2019s BIG house").runs


TEXTS = st.text("ab1\u00df \u2019\n.", max_size=30)


@given(TEXTS, TEXTS)
def test_all_that_is_found_stands_in_both(private: str, text: str) -> None:
    found = Spans(private, set()).find(text)
    assert set(found.words) <= set(split_words(private)) & set(split_words(text))
    whole = Spans(text, set())
    assert set(whole.find(text).words) == whole.words
