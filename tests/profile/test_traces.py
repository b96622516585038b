"""Traces: kept with their answers, and gone with them."""

import sqlite3
from typing import Any

import pytest

from costeer.profile.conversations import Conversations
from costeer.profile.traces import Trace, Traces


@pytest.fixture
def answer(database: Any) -> Any:
    conversations = Conversations(database)
    number = conversations.create().id
    conversations.add(number, "user", "Hello?")
    return conversations.add(number, "assistant", "Hi.").id


TRACE = Trace("auto", "stop", 3, 2, 120, {"tokens": [[1, "ä🙂", 0.25, None, True]]})


def test_a_trace_comes_back(database: Any, answer: Any) -> None:
    Traces(database).add(answer, TRACE)
    assert Traces(database).get(answer) == TRACE


@pytest.mark.parametrize("message", [1, 99])
def test_other_messages_have_none(database: Any, answer: Any, message: Any) -> None:
    assert Traces(database).get(message) is None


def test_it_goes_with_its_answer(database: Any, answer: Any) -> None:
    Traces(database).add(answer, TRACE)
    Conversations(database).remove(1)
    assert Traces(database).get(answer) is None


def test_there_is_one_for_each_answer_that_exists(database: Any, answer: Any) -> None:
    from sqlcipher3 import dbapi2

    traces = Traces(database)
    traces.add(answer, TRACE)
    for message in (answer, 99):
        with pytest.raises((dbapi2.IntegrityError, sqlite3.IntegrityError)):
            traces.add(message, TRACE)


def test_it_is_small(database: Any, answer: Any) -> None:
    candidates = [[one, f" word{one}", one / 1e4] for one in range(20)]
    rows = [[one, " word", 0.5, False, candidates] for one in range(1000)]
    Traces(database).add(answer, Trace("auto", "stop", 0, 0, 0, rows))
    kept = database.read("SELECT length(details) FROM traces")[0][0]
    assert kept < 100_000


def test_it_shows_nothing_of_the_answer() -> None:
    assert "🙂" not in repr(TRACE)
