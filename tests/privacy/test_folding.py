from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.folding import fold


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("José", "JOSE\u0301"),
        ("Straße", "STRASSE"),
        ("O\u2019Brien", "o'brien"),
        ("\uff2d\uff41\uff52\uff45\uff4e", "maren"),
        ("Ma\u200bren", "Maren"),
        ("Ma\u00adren", "maren"),
        ("Jean\u2011Luc", "jean-luc"),
        ("Y\u0131ld\u0131z", "YILDIZ"),  # what upper() makes of it
        ("Łukasz Sørensen", "Lukasz Sorensen"),
        ("O\u00b4Brien", "O'Brien"),
    ],
)
def test_ways_to_write_the_same(one: Any, other: Any) -> None:
    assert fold(one).text == fold(other).text


@pytest.mark.parametrize("sign", ["™", "²", "①", "℠"])
def test_a_sign_that_is_spelt_out_does_not_become_part_of_a_word(sign: str) -> None:
    folded = fold(f"Okafor{sign}").text
    assert folded.startswith("okafor")
    assert not folded.removeprefix("okafor").isalnum()


@given(st.text(max_size=40))
def test_every_position_leads_back_and_folding_twice_changes_nothing(text: Any) -> None:
    folded = fold(text)
    assert len(folded.origin) == len(folded.text) + 1
    assert list(folded.origin) == sorted(folded.origin)
    assert folded.origin[-1] == len(text)
    assert fold(folded.text).text == folded.text
    assert fold(text * 20).text == folded.text * 20  # kept folded or not


def test_a_span_does_not_cut_a_character_in_two() -> None:
    folded = fold("aßb")  # a s s b
    assert folded.span(1, 3) == (1, 2)
    assert folded.span(2, 4) is None
    assert folded.span(0, 2) is None
