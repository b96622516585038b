"""Marks in front of a record."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.marks import has_send, is_sent, unmark, unsend
from costeer.privacy.values import split_level


@pytest.mark.parametrize(
    "mark", ["[send]\n", "[send] ", "[SEND]\t\n", "  [Send]", "[open]\n[send]\n"]
)
def test_forms_of_the_mark(mark: str) -> None:
    assert is_sent(f"{mark}Keep it short.")
    assert unmark(f"{mark}Keep it short.") == "Keep it short."


@pytest.mark.parametrize("marks", ["[withheld][send]", "[send]\n[WITHHELD]\n"])
def test_withheld_wins(marks: str) -> None:
    assert has_send(f"{marks}A") and not is_sent(f"{marks}A")
    assert split_level(unsend(f"{marks}A"))[0] == "withheld"


@pytest.mark.parametrize(
    "record",
    ["", "Please [send] it.", "[\u017fend] A", "[wİthheld] A", "[\u017ftand-in] A", "[send A"],
)
def test_what_is_no_mark(record: str) -> None:
    assert not has_send(record)
    assert unmark(record) == unsend(record) == record
    assert split_level(record) == (None, record)


@given(st.text(alphabet="[]sendwithopl\u017fİK -\nA.", max_size=60))
def test_an_unsent_record_is_not_sent_and_keeps_its_text(record: str) -> None:
    assert not has_send(unsend(record))
    assert unmark(unsend(record)) == unmark(record)
