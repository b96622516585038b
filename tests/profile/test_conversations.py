"""Conversations: a tree in which nothing is overwritten, and what left for each answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from costeer.exceptions import InputError
from costeer.profile.conversations import Conversations, Departure
from costeer.profile.database import Database
from costeer.profile.records import Draft
from costeer.profile.selection import RecordChoice
from tests.support.profiles import KEY


@pytest.fixture
def conversations(database: Any) -> Any:
    return Conversations(database)


@pytest.fixture
def talk(conversations: Any) -> Any:
    """A question, its answer, another question: the three messages."""
    number = conversations.create("Dinner").id
    return [
        conversations.add(number, "user", "What shall I eat?"),
        conversations.add(number, "assistant", "Shellfish."),
        conversations.add(number, "user", "And to drink?"),
    ]


def texts(messages: Any) -> Any:
    return [message.text for message in messages]


def test_messages_follow_each_other(conversations: Any, talk: Any) -> None:
    assert conversations.branch(1) == conversations.tree(1) == talk
    assert [message.parent for message in talk] == [None, 1, 2]
    assert conversations.get(1).current == 3


def test_an_edited_question_begins_a_branch_and_the_old_one_stays(
    conversations: Any, talk: Any
) -> None:
    edited = conversations.edit(talk[0].id, "What shall I cook?")
    assert texts(conversations.branch(1)) == ["What shall I cook?"]
    conversations.add(1, "assistant", "Soup.")
    assert texts(conversations.branch(1)) == ["What shall I cook?", "Soup."]
    assert conversations.siblings(talk[0].id) == [talk[0].id, edited.id]
    conversations.switch(talk[0].id)
    assert conversations.branch(1) == talk


def test_another_answer_is_a_sibling_of_the_first(conversations: Any, talk: Any) -> None:
    assert conversations.regenerate(talk[1].id) == talk[0]
    second = conversations.add(1, "assistant", "Jackfruit.")
    assert texts(conversations.branch(1)) == ["What shall I eat?", "Jackfruit."]
    assert conversations.siblings(second.id) == [talk[1].id, second.id]
    assert conversations.switch(talk[1].id) == talk[2]


@pytest.mark.parametrize("number", [1, 3, 99])
def test_only_an_answer_can_be_regenerated(conversations: Any, talk: Any, number: Any) -> None:
    with pytest.raises(InputError):
        conversations.regenerate(number)
    assert conversations.branch(1) == talk


def test_what_left_is_kept_with_the_answer_in_order(conversations: Any, talk: Any) -> None:
    departures = [
        Departure("2026-01-01T00:00:00Z", "https://host", bytes([n, 0xFF]), n, 2 * n)
        for n in range(5)
    ]
    conversations.add_departures(talk[1].id, departures[:2])
    conversations.add_departures(talk[1].id, departures[2:])
    assert conversations.departures(talk[1].id) == departures
    assert conversations.departures(talk[2].id) == []


def test_the_records_of_a_conversation_are_kept_in_order(
    conversations: Any, talk: Any, store: Any
) -> None:
    records = [store.add(Draft("fact", text))[0] for text in ("one", "two", "three")]
    conversations.add_choices(
        1, [RecordChoice(records[2], "pinned"), RecordChoice(records[0], "matches: x")]
    )
    conversations.add_choices(1, [RecordChoice(records[1], "matches: y")])
    assert [choice.record.id for choice in conversations.choices(1)] == [3, 1, 2]
    assert conversations.choices(1)[1] == RecordChoice(records[0], "matches: x")
    store.remove([1])
    assert [choice.record.id for choice in conversations.choices(1)] == [3, 2]
    conversations.add_choices(1, [])


def test_removing_a_conversation_removes_all_that_belongs_to_it(
    conversations: Any, talk: Any, database: Any
) -> None:
    conversations.add_departures(talk[1].id, [Departure("", "", b"", 0, 0)])
    other = conversations.create()
    conversations.remove(1)
    for table in ("messages", "departures", "conversation_records"):
        assert database.read(f"SELECT count(*) FROM {table}") == [(0,)]
    assert conversations.all() == [conversations.get(other.id)]
    with pytest.raises(InputError):
        conversations.get(1)


def test_the_conversation_changed_last_comes_first(conversations: Any, talk: Any) -> None:
    conversations.create("newer")
    assert [one.title for one in conversations.all()] == ["newer", "Dinner"]
    conversations.rename(1, "Supper")
    assert conversations.get(1).title == "Supper"


@pytest.mark.parametrize("text", ["", "\ud800", "\x00", "x" * 1_000_000, "👩‍👩‍👧 \r\n"])
def test_any_text_can_be_a_message(conversations: Any, talk: Any, text: Any) -> None:
    added = conversations.add(1, "user", text)
    assert added.text == text.encode("utf-8", "replace").decode()


def test_messages_do_not_show_their_text(conversations: Any, talk: Any) -> None:
    assert "eat" not in repr(talk) and "Dinner" not in repr(conversations.get(1))


def test_a_parent_is_of_the_same_conversation(conversations: Any, talk: Any, database: Any) -> None:
    other = conversations.create()
    with pytest.raises(Exception, match="FOREIGN KEY"), database.write() as connection:
        connection.execute(
            "INSERT INTO messages (conversation, parent, role, text, created_at) "
            "VALUES (?, 1, 'user', '', '')",
            (other.id,),
        )


@pytest.mark.slow
def test_whatever_a_person_does_nothing_is_lost_and_the_branch_is_a_path(tmp_path: Path) -> None:
    """Random walks: add, edit, regenerate, switch."""
    database = Database.create(tmp_path / "walk.db", KEY)

    class Walk(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.conversations = Conversations(database)
            self.number = self.conversations.create().id
            self.said = []

        def some(self, place: Any) -> Any:
            return self.said[place % len(self.said)]

        @rule(role=st.booleans(), text=st.text())
        def add(self, role: Any, text: Any) -> None:
            role = "user" if role else "assistant"
            self.said.append(self.conversations.add(self.number, role, text))
            assert self.conversations.branch(self.number)[-1] == self.said[-1]

        @precondition(lambda self: self.said)
        @rule(place=st.integers(0, 99), text=st.text())
        def edit(self, place: Any, text: Any) -> None:
            self.said.append(self.conversations.edit(self.some(place).id, text))

        @precondition(lambda self: self.said)
        @rule(place=st.integers(0, 99))
        def switch(self, place: Any) -> None:
            target = self.some(place)
            self.conversations.switch(target.id)
            assert target in self.conversations.branch(self.number)

        @precondition(lambda self: self.said)
        @rule(place=st.integers(0, 99))
        def regenerate(self, place: Any) -> None:
            target = self.some(place)
            if target.role == "assistant" and target.parent is not None:
                assert self.conversations.regenerate(target.id).id == target.parent

        def teardown(self) -> None:
            assert self.conversations.tree(self.number) == self.said
            branch = self.conversations.branch(self.number)
            assert [m.parent for m in branch] == [None, *(m.id for m in branch[:-1])][: len(branch)]

    few = settings(max_examples=12, stateful_step_count=20, deadline=None)
    run_state_machine_as_test(Walk, settings=few)
    database.check()
    database.close()


def test_a_message_may_follow_any_other_one_unseen(conversations: Any, talk: Any) -> None:
    answer = conversations.attach(1, talk[0].id, "assistant", "Jackfruit.", show=False)
    assert conversations.branch(1) == talk
    assert conversations.path(answer.id) == [talk[0], answer]
    assert conversations.path(None) == []


def test_a_question_without_an_answer_can_be_withdrawn(conversations: Any, talk: Any) -> None:
    question = conversations.add(1, "user", "Or what?")
    conversations.withdraw(question.id, talk[2].id)
    assert conversations.tree(1) == conversations.branch(1) == talk
    with pytest.raises(InputError):
        conversations.withdraw(talk[0].id, None)
    alone = conversations.create().id
    conversations.withdraw(conversations.add(alone, "user", "Hm?").id, None)
    assert conversations.get(alone).current is None


def test_what_is_not_shown_stays_so_when_a_message_is_withdrawn(
    conversations: Any, talk: Any
) -> None:
    unseen = conversations.attach(1, talk[1].id, "user", "Hm?", show=False)
    conversations.withdraw(unseen.id, talk[0].id)
    assert conversations.branch(1) == talk
