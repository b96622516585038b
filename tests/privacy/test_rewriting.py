"""Whole words, the longest first, in any case and spelling; nothing else."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.rewriting import Replacement, Rewriter, mirror_case

NAMES = Rewriter(
    [
        Replacement("Maren Okafor", "Alex Brandt"),
        Replacement("Maren", "Alex"),
        Replacement("Will", "Odd", capital=True),
        Replacement("912 345 678", "555 0101", separated=True),
        Replacement("東京", "大阪"),
        Replacement("C++", "Zig"),
    ]
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Maren Okafor, Maren and Okafor", "Alex Brandt, Alex and Okafor"),
        ("MAREN maren Marens Maren's", "ALEX alex Alexs Alex's"),
        ("Maren\n  Okafor", "Alex Brandt"),
        ("Ma\u00adren and Máren", "Alex and Alex"),
        ("Marengo, Semaren", "Marengo, Semaren"),
        ("maren87 and 2Maren", "alex87 and 2Alex"),  # as in user names
        ("Will will", "Odd will"),
        ("912345678, 912.345-678, (912) 345678", "555 0101, 555 0101, (555 0101"),
        ("1912345678 9123456780", "1912345678 9123456780"),
        ("912,345,678 EUR912345678kg 912·345~678", "555 0101 EUR555 0101kg 555 0101"),
        ("私は東京に住む", "私は大阪に住む"),
        ("I write C++.", "I write Zig."),
        ("", ""),
    ],
)
def test_what_is_replaced(text: Any, expected: Any) -> None:
    assert NAMES.rewrite(text) == expected


def test_the_longest_form_counts_however_its_accents_are_written() -> None:
    pairs = [Replacement("Jose\u0301", "Kim"), Replacement("Joséa", "Ash")]
    assert Rewriter(pairs).rewrite("Joséas") == "Ashs"


def test_where_the_longest_form_may_not_stand_a_shorter_one_counts() -> None:
    pairs = [Replacement("Rose Hill", "Kim Voss", capital=True), Replacement("rose", "ash")]
    assert Rewriter(pairs).rewrite("a rose hill, Rose Hill") == "a ash hill, Kim Voss"


def test_text_before_the_beginning_is_only_looked_at() -> None:
    assert NAMES.rewrite("xMaren", 1) == "Maren"  # no word begins there
    assert NAMES.rewrite(" Maren", 1) == "Alex"


@pytest.mark.parametrize("old", ["\u02bc", "\u02bc-", "\u02bc\u00ad"])
def test_what_folds_to_no_letter_or_digit_is_nowhere(old: str) -> None:
    rewriter = Rewriter([Replacement(old, "X", separated=True), Replacement("12", "Y")])
    assert rewriter.rewrite("a' -12") == "a' -Y"


def test_without_pairs_nothing_is_found() -> None:
    assert Rewriter([]).rewrite("Maren") == "Maren"


@given(st.text(max_size=30), st.text(max_size=30))
def test_the_rest_of_a_text_stays_as_it_is(before: Any, after: Any) -> None:
    text = f"{before} ! Maren ! {after}"
    rest = Rewriter([Replacement("Maren", "Alex")]).rewrite(text)
    assert " ! Alex ! " in rest
    if "aren" not in text.replace(" ! Maren ! ", "").lower():
        assert rest == f"{before} ! Alex ! {after}"


@pytest.mark.parametrize(
    ("occurrence", "usual", "expected"),
    [("MAREN", "Maren", "ALEX"), ("maren", "Maren", "alex"), ("IBM", "IBM", "Alex"),
     ("Maren", "maren", "Alex"), ("M", "m", "Alex")],
)  # fmt: skip
def test_the_case_is_mirrored_where_it_is_unusual(
    occurrence: Any, usual: Any, expected: Any
) -> None:
    assert mirror_case(occurrence, usual, "Alex") == expected


@given(st.text("Maren Okfo1.'", max_size=24))
def test_what_may_begin_an_occurrence_is_never_missed(tail: Any) -> None:
    """The prefixes of every occurrence may begin one."""
    for found in NAMES.find(tail):
        for end in range(found.start + 1, found.end):
            assert NAMES.may_begin(tail[found.start : end])
