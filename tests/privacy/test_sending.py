"""Records that a person sends."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.marks import has_send
from costeer.privacy.guard import Guard
from costeer.privacy.sending import sent_records, unmark_all

CONTEXT = "I am vegan.\n\n[send]\nAnswer in Spanish.\n\nI live in Porto."


def test_a_marked_record_is_sent_without_its_mark() -> None:
    assert sent_records(CONTEXT) == ["Answer in Spanish."]


@pytest.mark.parametrize(
    "context",
    [
        "",
        "I am vegan.",
        "Please [send] it.",
        "Dear Tom,\n[send]\nall of it",
        "[send]",
        "[send]\n\n\n",
        "[withheld]\n[send]\nMy code is 4471.",
        "[send]\n[withheld]\nMy code is 4471.",
    ],
)
def test_nothing_else_is_sent(context: str) -> None:
    assert sent_records(context) == []


def test_line_ends_of_windows() -> None:
    assert sent_records(CONTEXT.replace("\n", "\r\n")) == ["Answer in Spanish."]


@pytest.mark.parametrize("mode", ["off", "stand-in", "strict"])
def test_the_small_model_reads_the_rest(mode: Any) -> None:
    guarded = Guard(mode).prepare([{"role": "user", "content": "Hi"}], CONTEXT)
    assert "Spanish" not in guarded.context and "send" not in guarded.context
    assert "vegan" in guarded.context


@pytest.mark.parametrize("marks", ["[withheld]\n[send]\n", "[send]\n[withheld]\n"])
def test_withheld_wins(marks: str) -> None:
    guarded = Guard().prepare([{"role": "user", "content": "Hi"}], f"I sing.\n\n{marks}I am Zork.")
    assert "Zork" not in guarded.context and "I sing." in guarded.context


def test_a_value_in_a_sent_record_is_exposed_where_nothing_guards_it() -> None:
    said = [{"role": "user", "content": "Hi"}]
    context = "[send]\nCall me Maren Okafor.\n\nMy name is Maren Okafor."
    assert [value.text for value in Guard("off").exposed(said, context)]


@given(st.text(alphabet="[]sendwithopl -\n\rA.", max_size=60))
def test_a_record_is_sent_only_with_the_mark_in_front(context: str) -> None:
    for record in sent_records(context):
        assert record and not has_send(record)
        assert "[send]" in context.lower()


@given(st.text(alphabet="[]sendwithopl -\n\rA.", max_size=60))
def test_nothing_is_sent_of_an_unmarked_context(context: str) -> None:
    assert sent_records(unmark_all(context)) == []
    assert sent_records(unmark_all(f"[send]\n{context}\n\n [Send] {context}")) == []


def test_levels_stay_in_an_unmarked_context() -> None:
    assert unmark_all("[withheld]\n[send]\nA\n\nB") == "[withheld]\nA\n\nB"
    assert unmark_all("Please [send] it.\r\n\r\nB") == "Please [send] it.\n\nB"
