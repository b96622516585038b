"""Conversations as trees of messages, and what left the device for each answer.

A message has a parent; editing a question or asking again for an answer adds a sibling, and nothing
is ever overwritten. ``current`` is the message at whose branch the person is looking. Knows nothing
of models; ids count up and are never used again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from costeer.exceptions import InputError
from costeer.profile.database import Database
from costeer.profile.records import encodable
from costeer.profile.selection import RecordChoice
from costeer.profile.store import RECORD_COLUMNS, now, record_of_row

Role = Literal["system", "user", "assistant"]
_MESSAGE = "id, conversation, parent, role, text, created_at"


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation; ``current`` is None while it has no message."""

    id: int
    title: str
    current: int | None
    created_at: str
    changed_at: str

    def __repr__(self) -> str:
        """Without the title, which is private text."""
        return f"Conversation(id={self.id})"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message; the first of a branch has no parent."""

    id: int
    conversation: int
    parent: int | None
    role: Role
    text: str
    created_at: str

    def __repr__(self) -> str:
        """Without the text."""
        return f"StoredMessage(id={self.id}, role={self.role!r}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True)
class Departure:
    """One request that left this device: when, where to, the body as sent, bytes both ways."""

    left_at: str
    destination: str
    body: bytes = field(repr=False)
    bytes_up: int
    bytes_down: int


class Conversations:
    """All conversations of a profile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(self, title: str = "") -> Conversation:
        """Begin one."""
        time = now()
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO conversations (title, created_at, changed_at) VALUES (?, ?, ?)",
                (encodable(title), time, time),
            )
            return self.get(cursor.lastrowid)

    def get(self, number: int) -> Conversation:
        """One conversation.

        Raises:
            InputError: there is none of this number.
        """
        rows = self._database.read(
            "SELECT id, title, current, created_at, changed_at FROM conversations WHERE id = ?",
            (number,),
        )
        if not rows:
            raise InputError(f"There is no conversation {number}.")
        return Conversation(*rows[0])

    def all(self) -> list[Conversation]:
        """All of them, the one changed last first."""
        rows = self._database.read(
            "SELECT id, title, current, created_at, changed_at FROM conversations "
            "ORDER BY changed_at DESC, id DESC"
        )
        return [Conversation(*row) for row in rows]

    def rename(self, number: int, title: str) -> None:
        """Give another title."""
        with self._database.write() as connection:
            self.get(number)
            connection.execute(
                "UPDATE conversations SET title = ?, changed_at = ? WHERE id = ?",
                (encodable(title), now(), number),
            )

    def remove(self, number: int) -> None:
        """Remove a conversation and all that belongs to it."""
        with self._database.write() as connection:
            self.get(number)
            connection.execute("DELETE FROM conversations WHERE id = ?", (number,))

    def add(self, number: int, role: Role, text: str) -> StoredMessage:
        """Add a message after the current one, and make it the current one."""
        return self.attach(number, self.get(number).current, role, text)

    def edit(self, message: int, text: str) -> StoredMessage:
        """Say it otherwise: a sibling with another text, which becomes the current message."""
        old = self.message(message)
        return self.attach(old.conversation, old.parent, old.role, text)

    def regenerate(self, answer: int) -> StoredMessage:
        """Go back to the question of an answer, so that the next ``add`` is another answer to it.

        Raises:
            InputError: the message is no answer to a question.
        """
        old = self.message(answer)
        if old.role != "assistant" or old.parent is None:
            raise InputError(f"Message {answer} is no answer to a question.")
        self._show(old.conversation, old.parent)
        return self.message(old.parent)

    def switch(self, message: int) -> StoredMessage:
        """Show the branch of a message, down to its newest end, which becomes the current one."""
        rows = self._database.read(
            "WITH RECURSIVE down (id) AS (VALUES (?) UNION ALL "
            "SELECT (SELECT max(id) FROM messages WHERE parent = down.id) FROM down "
            "WHERE down.id IS NOT NULL) SELECT max(id) FROM down",
            (self.message(message).id,),
        )
        end = self.message(rows[0][0])
        self._show(end.conversation, end.id)
        return end

    def message(self, number: int) -> StoredMessage:
        """One message.

        Raises:
            InputError: there is none of this number.
        """
        rows = self._database.read(f"SELECT {_MESSAGE} FROM messages WHERE id = ?", (number,))  # noqa: S608
        if not rows:
            raise InputError(f"There is no message {number}.")
        return StoredMessage(*rows[0])

    def branch(self, number: int) -> list[StoredMessage]:
        """The messages from the first to the current one."""
        return self.path(self.get(number).current)

    def withdraw(self, message: int, show: int | None) -> None:
        """Remove a message that nothing follows, and show another one instead.

        Raises:
            InputError: something follows it.
        """
        one = self.message(message)
        with self._database.write() as connection:
            if self._database.read("SELECT 1 FROM messages WHERE parent = ?", (message,)):
                raise InputError(f"Message {message} has been answered.")
            current = self.get(one.conversation).current
            connection.execute("DELETE FROM messages WHERE id = ?", (message,))
            if current == message and show is not None:
                self._show(one.conversation, show)

    def path(self, message: int | None) -> list[StoredMessage]:
        """The messages from the first of a branch to this one; none for None."""
        rows = self._database.read(
            f"WITH RECURSIVE up ({_MESSAGE}) AS (SELECT {_MESSAGE} FROM messages WHERE id = ? "  # noqa: S608
            f"UNION ALL SELECT m.id, m.conversation, m.parent, m.role, m.text, m.created_at "
            f"FROM messages m JOIN up ON m.id = up.parent) SELECT {_MESSAGE} FROM up ORDER BY id",
            (message,),
        )
        return [StoredMessage(*row) for row in rows]

    def tree(self, number: int) -> list[StoredMessage]:
        """All messages of a conversation, parents before their children."""
        rows = self._database.read(
            f"SELECT {_MESSAGE} FROM messages WHERE conversation = ? ORDER BY id",  # noqa: S608
            (self.get(number).id,),
        )
        return [StoredMessage(*row) for row in rows]

    def siblings(self, message: int) -> list[int]:
        """The ids of all messages in the place of this one, in order, itself among them."""
        one = self.message(message)
        rows = self._database.read(
            "SELECT id FROM messages WHERE conversation = ? AND parent IS ? ORDER BY id",
            (one.conversation, one.parent),
        )
        return [row[0] for row in rows]

    def add_departures(self, answer: int, departures: Iterable[Departure]) -> None:
        """Keep what left the device for an answer, after what is kept already."""
        with self._database.write() as connection:
            start = len(self.departures(self.message(answer).id))
            connection.executemany(
                "INSERT INTO departures VALUES (?, ?, ?, ?, ?, ?, ?)",
                [
                    (answer, start + n, d.left_at, d.destination, d.body, d.bytes_up, d.bytes_down)
                    for n, d in enumerate(departures)
                ],
            )

    def departures(self, answer: int) -> list[Departure]:
        """What left the device for an answer, in order."""
        rows = self._database.read(
            "SELECT left_at, destination, body, bytes_up, bytes_down FROM departures "
            "WHERE message = ? ORDER BY position",
            (answer,),
        )
        return [Departure(*row) for row in rows]

    def add_choices(self, number: int, choices: Sequence[RecordChoice]) -> None:
        """Keep which records the conversation reads, after those it reads already."""
        with self._database.write() as connection:
            rows = self._database.read(
                "SELECT coalesce(max(position) + 1, 0) FROM conversation_records "
                "WHERE conversation = ?",
                (self.get(number).id,),
            )
            connection.executemany(
                "INSERT INTO conversation_records VALUES (?, ?, ?, ?)",
                [
                    (number, rows[0][0] + n, choice.record.id, choice.reason)
                    for n, choice in enumerate(choices)
                ],
            )

    def choices(self, number: int) -> list[RecordChoice]:
        """The records that the conversation reads, in order; removed ones are gone from it."""
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS}, reason FROM conversation_records "  # noqa: S608
            "JOIN records ON records.id = record WHERE conversation = ? ORDER BY position",
            (number,),
        )
        return [RecordChoice(record_of_row(row[:-1]), row[-1]) for row in rows]

    def attach(
        self, number: int, parent: int | None, role: Role, text: str, *, show: bool = True
    ) -> StoredMessage:
        """Add a message after any other one, and make it the current one unless told not to."""
        with self._database.write() as connection:
            cursor = connection.execute(
                "INSERT INTO messages (conversation, parent, role, text, created_at) "
                "VALUES (?, ?, ?, ?, ?)",
                (number, parent, role, encodable(text), now()),
            )
            added: int = cursor.lastrowid
            if show:
                self._show(number, added)
            return self.message(added)

    def _show(self, number: int, message: int) -> None:
        with self._database.write() as connection:
            connection.execute(
                "UPDATE conversations SET current = ?, changed_at = ? WHERE id = ?",
                (message, now(), number),
            )
