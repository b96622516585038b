"""Long texts become passages, and no word of them is lost."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.base import Skipped, drafts, passages, samples, utc
from costeer.profile.records import normalize

words = st.text("ab.!? \n", max_size=300) | st.text(max_size=100)


@given(words, st.integers(1, 60))
def test_passages_are_short_whole_and_in_order(text: Any, longest: Any) -> None:
    parts = list(passages(text, longest))
    assert all(0 < len(part) <= longest for part in parts)
    squeezed = "".join("".join(parts).split())
    assert squeezed == "".join(normalize(text).split())


def test_cut_between_paragraphs_then_sentences_then_words_then_anywhere() -> None:
    assert list(passages("One two.\n\nThree.", 12)) == ["One two.", "Three."]
    assert list(passages("One two.\n\nThree.", 100)) == ["One two.\n\nThree."]
    assert list(passages("One two. Three four.", 12)) == ["One two.", "Three four."]
    assert list(passages("one two three", 8)) == ["one two", "three"]
    assert list(passages("abcdefgh", 3)) == ["abc", "def", "gh"]


def test_facts_are_paragraphs_and_documents_are_passages() -> None:
    text = "I am Anna.\n\nI am vegan."
    assert [draft.text for draft in drafts(text, "fact", "", "", None)] == text.split("\n\n")
    assert [draft.text for draft in drafts(text, "document", "", "", None)] == [text]


def test_a_short_sample_says_nothing() -> None:
    assert list(samples("ok, thanks", "", "mail", None)) == [Skipped("too short", "mail")]


def test_times() -> None:
    assert utc(0) == "1970-01-01T00:00:00Z"
    assert utc(1.5e9) == "2017-07-14T02:40:00Z"
    for wrong in (None, "0", True, 1e300, float("nan"), float("inf"), [0]):
        assert utc(wrong) is None
