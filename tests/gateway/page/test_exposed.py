"""Words of a question that stand in private text and look like facts."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.gateway.page.exposed import MOST, find

PRIVATE = [
    "My name is Amélie O'Neil and I live at 12 Elm Street, 1010 Wien.",
    "Call me at +43 660 1234567 or write to amelie@example.org.",
    "I am vegan. My dog is called Rex.",
]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Recommend a dinner spot.", []),
        ("Write a note to my dog Rex.", [("Rex", "name")]),
        ("Rex is ill.", []),  # the first word of a sentence has a capital anyway
        ("It is late. Rex is ill.", []),
        ("Sign it as Amélie O'Neil.", [("Amélie", "name"), ("O'Neil", "name")]),
        ("Is amelie@example.org a good address?", [("amelie@example.org", "address")]),
        ("Reach me at +43 660 1234567!", [("+43 660 1234567", "number")]),
        ("The code is 1010.", [("1010", "number")]),
        ("Give me 12 ideas.", []),
        ("Give me 101 ideas.", []),  # only a part of 1010
        ("Is Vegan food good for Rexine?", []),
        ("", []),
    ],
)
def test_found(question: Any, found: Any) -> None:
    assert [(one.text, one.kind) for one in find(question, PRIVATE)] == found


def test_without_private_text_nothing_is_exposed() -> None:
    assert find("Write to amelie@example.org about Rex and 12345.", []) == []


@pytest.mark.slow
@given(st.text(), st.lists(st.text(), max_size=3))
def test_what_is_found_stands_in_both(question: Any, private: Any) -> None:
    for one in find(question, private):
        assert one.text in question
        assert any(one.text in text for text in private)


@pytest.mark.parametrize("part", ["a", "1 ", "A-", "@", "a@", "A'", "www.", "Rex "])
def test_a_long_question_takes_no_longer_than_it_has_to(part: Any) -> None:
    """Patterns that go back and forth would take minutes for these."""
    assert len(find(part * 100_000, [part * 50_000])) <= MOST
