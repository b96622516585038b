"""Records that go to the large model itself."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.sending import sent_records
from costeer.profile.records import KINDS, Record
from costeer.profile.selection import RecordChoice, context_list
from costeer.profile.sent import can_be_sent, is_sent, mark, unmark

texts = st.text(alphabet="[]sendopwithl A.\n", max_size=40)

MARKED = [
    ("preference", "[send]\nAnswer in Spanish.", True),
    ("fact", "[SEND] Keep it short.", True),
    ("preference", "[open]\n[send]\nKeep it short.", True),
    ("preference", "Please [send] it.", False),
    ("preference", "[withheld]\n[send]\nKeep it short.", False),
    ("document", "[send]\nAll of this.", False),
    ("sample", "[send] [send]\nAll of this.", False),
]


@pytest.mark.parametrize(("kind", "text", "sent"), MARKED)
def test_only_marked_preferences_and_facts_are_sent(kind: Any, text: str, sent: bool) -> None:
    record = Record(kind, text, id=1)
    assert is_sent(record) == sent
    [context] = context_list([RecordChoice(record, "")])
    assert bool(sent_records(context)) == sent


@given(texts, st.sampled_from(KINDS))
def test_a_marked_text_is_sent_and_an_unmarked_one_is_not(text: Any, kind: Any) -> None:
    assert unmark(mark(text)) == unmark(text)
    assert not is_sent(Record(kind, unmark(text), id=1))
    withheld = "[withheld]" in text
    assert withheld or is_sent(Record(kind, mark(text), id=1)) == can_be_sent(kind)


@given(texts, st.sampled_from(KINDS))
def test_a_context_sends_what_the_profile_says(text: Any, kind: Any) -> None:
    record = Record(kind, text, id=1)
    sent = sent_records("\n\n".join(context_list([RecordChoice(record, "")])))
    assert is_sent(record) or not sent
