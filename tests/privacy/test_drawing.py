"""A stand-in looks like its kind, and depends on the value's pattern at most."""

import random
import re
from typing import Any

import pytest

from costeer.privacy import pools
from costeer.privacy.drawing import draw, draw_word
from costeer.privacy.values import KINDS, Value

SHAPES = {
    "place": r"\w+",
    "organisation": r"\w+ \w+",
    "address": r"\d+ \w+ \w+",
    "e-mail": r"\w+@example\.org",
    "phone": r"555-01\d\d",
    "link": r"https://example\.org/\w+",
    "handle": r"@\w+\d\d",
    "account": r"[A-Z]{2}\d{4}",
    "other": r"\w+ \w+",
}


TEXTS = {
    "date": ("12 March 1987", "30 April 2001"),
    "number": ("1,250", "9,876"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_another_value_of_the_same_pattern_draws_the_same(kind: Any) -> None:
    one, other = (Value(text, kind) for text in TEXTS.get(kind, ("Ab", "Cdef")))
    for seed in range(50):
        drawn = draw(random.Random(seed), one)
        assert drawn == draw(random.Random(seed), other)
        if kind in SHAPES:
            assert re.fullmatch(SHAPES[kind], drawn)


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("1987-03-12", r"\d{4}-1[0-2]-1[0-2]"),
        ("3.5.87", r"[1-9]\.[1-9]\.1[0-2]"),
        ("12 March 1987", r"1[0-2] [A-Z][a-z]+ (19|20)\d\d"),
        ("Mar 3rd", r"[A-Z][a-z]{2} [1-9]rd"),
    ],
)
def test_a_date_keeps_its_form(text: Any, shape: Any) -> None:
    for seed in range(20):
        assert re.fullmatch(shape, draw(random.Random(seed), Value(text, "date")))


def test_numbers_keep_their_pattern() -> None:
    drawn = draw(random.Random(1), Value("DE89 3704-x", "number"))
    assert re.fullmatch(r"[A-Z]{2}[1-9]{2} [1-9]{4}-[a-z]", drawn)


def test_the_first_word_of_a_name_is_a_first_name() -> None:
    assert draw_word(random.Random(1), first=True) in pools.FIRST
    assert draw_word(random.Random(1), first=False) in pools.LAST
