from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer.privacy.values import LONGEST, Value, merge, split_level


@pytest.mark.parametrize(
    "bad",
    [
        ("", "name", "stand-in"),
        ("--", "name", "stand-in"),
        ("x" * (LONGEST + 1), "name", "stand-in"),
        ("Maren", "colour", "stand-in"),
        ("Maren", "name", "secret"),
    ],
)
def test_what_cannot_be_a_value_is_refused_without_being_repeated(bad: Any) -> None:
    with pytest.raises(InputError) as caught:
        Value(*bad)
    assert "Maren" not in str(caught.value)


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("I like tea.", (None, "I like tea.")),
        ("[withheld]\nMy doctor is Abe.", ("withheld", "My doctor is Abe.")),
        ("  [Open] \nMy name is Ada.", ("open", "My name is Ada.")),
        ("[stand-in] Ada", ("stand-in", "Ada")),
        ("[secret]\nAda", (None, "[secret]\nAda")),
    ],
)
def test_a_record_may_state_its_level(record: Any, expected: Any) -> None:
    assert split_level(record) == expected


def test_what_the_person_confirmed_wins_over_what_was_detected() -> None:
    confirmed = [Value("Maren Okafor", "name", "open")]
    detected = [Value("MAREN OKAFOR", "organisation"), Value("Porto", "place")]
    assert merge(confirmed, detected) == [confirmed[0], detected[1]]


def test_an_accent_or_another_space_makes_no_other_value() -> None:
    confirmed = [Value("José Lima", "name", "withheld")]
    assert merge(confirmed, [Value("Jose  Lima", "name")]) == confirmed
