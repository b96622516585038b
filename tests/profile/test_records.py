"""What a record may be, and which texts count as the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import InputError
from costeer.profile.conversations import Departure
from costeer.profile.records import LONGEST, Draft, Record, check, digest, normalize
from costeer.profile.selection import RecordChoice
from costeer.profile.store import Match


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (" a \r\nb\r\n", "a\nb"),
        ("a\rb", "a\nb"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("half \ud800 pair", "half ? pair"),
        ("tab\tstays", "tab\tstays"),
        ("Grüße, 你好 🙂", "Grüße, 你好 🙂"),
    ],
)
def test_normalize(text: Any, stored: Any) -> None:
    assert normalize(text) == stored


@given(st.text(st.characters(codec=None)))
def test_normalize_gives_what_a_file_can_hold_and_changes_it_once(text: Any) -> None:
    once = normalize(text)
    assert once.encode("utf-8").decode("utf-8") == normalize(once) == once
    assert "\x02" not in once and "\r" not in once


@pytest.mark.parametrize(
    ("draft", "message"),
    [
        (Draft("fact", " \n "), "empty"),
        (Draft("fact", "x" * (LONGEST + 1)), "characters"),
        (Draft("secret", "x"), "no kind"),
    ],
)
def test_what_is_refused(draft: Any, message: Any) -> None:
    with pytest.raises(InputError, match=message) as caught:
        check(draft)
    assert "xx" not in str(caught.value)


def test_content_is_recognised_however_its_blanks_and_accents_are_set() -> None:
    assert digest("fact", "Caf\u00e9  au\nlait") == digest("fact", "Cafe\u0301 au lait")
    assert digest("fact", "a") != digest("sample", "a")
    assert digest("fact", "a b") != digest("fact", "ab")


def test_nothing_shows_its_text() -> None:
    """What is printed by accident lands in logs and tracebacks."""
    record = Record("fact", "I am vegan", "vegan", "vegan", id=1)
    things = [
        Draft("fact", "I am vegan", "vegan"),
        record,
        Match(record, ("vegan",)),
        RecordChoice(record, "matches: vegan"),
        Departure("", "host", b"vegan", 1, 2),
    ]
    assert "vegan" not in repr(things)
