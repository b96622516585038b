"""Counting n-grams."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer_evals.metrics.repetition import distinct, repetition, words


@pytest.mark.parametrize(
    ("tokens", "n", "expected"),
    [
        ("abab", 1, 2 / 4),
        ("abab", 2, 2 / 3),  # ab ba ab
        ("abcd", 4, 1),
        ("aaaaaaaa", 4, 1 / 5),
        ("abc", 4, 1),  # no 4-gram, none repeated
        ("", 1, 1),
    ],
)
def test_distinct(tokens: str, n: int, expected: float) -> None:
    assert distinct(tokens, n) == pytest.approx(expected)


def test_a_text() -> None:
    result = repetition(words("So it goes. So it goes. So it goes."))
    assert result.length == 9
    assert result.distinct_1 == pytest.approx(3 / 9)
    assert result.repeated_4 == pytest.approx(3 / 6)


@given(st.lists(st.integers(0, 5)))
def test_saying_everything_twice_repeats_more(tokens: Any) -> None:
    once, twice = repetition(tokens), repetition(tokens * 2)
    assert 0 <= once.repeated_4 <= 1 and 0 <= once.distinct_2 <= 1
    assert twice.repeated_4 >= once.repeated_4
