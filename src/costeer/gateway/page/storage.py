"""Where conversations and records live: in the person's profile, or in memory.

Memory is a database of the same kind that no file holds. Its conversations and messages have large
numbers, so that a number alone tells where its row is.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from costeer.exceptions import InputError
from costeer.profile import export
from costeer.profile.conversations import Conversation, StoredMessage
from costeer.profile.database import Database
from costeer.profile.profiles import Profile
from costeer.profile.selection import Chosen, RecordChoice, Selection
from costeer.serving.errors import ApiError

IN_MEMORY = 1 << 40
"""The numbers of what is in memory are larger; JavaScript can still tell them apart."""


class Storage:
    """Conversations, kept or not, and the records that they read.

    Args:
        profile: the person's; stays the caller's to close. Without one, records live in memory too.
    """

    def __init__(self, profile: Profile | None = None) -> None:
        self.profile = profile
        self.memory = Profile("", Database.in_memory())
        self._read: dict[int, list[tuple[int, str]]] = {}  # by conversation in memory
        self._lock = threading.Lock()
        self._keeps = profile is not None
        with self.memory.database.write() as connection:
            for table in ("conversations", "messages"):
                connection.execute("INSERT INTO sqlite_sequence VALUES (?, ?)", (table, IN_MEMORY))

    @property
    def keeps(self) -> bool:
        """Whether new conversations are kept."""
        return self._keeps

    @keeps.setter
    def keeps(self, keep: bool) -> None:
        if keep and self.profile is None:
            raise InputError(
                "There is no profile to keep conversations in.", "Make one: costeer profile init"
            )
        self._keeps = keep

    @property
    def own(self) -> Profile:
        """Where the records are."""
        return self.profile or self.memory

    def places(self) -> list[Profile]:
        """Where conversations may be."""
        return [self.memory] if self.profile is None else [self.profile, self.memory]

    def place(self, number: int) -> Profile:
        """Where a conversation or a message is, if it exists."""
        return self.memory if number > IN_MEMORY or self.profile is None else self.profile

    def create(self) -> Conversation:
        """Begin a conversation."""
        place = self.profile if self._keeps else None
        return (place or self.memory).conversations.create()

    def conversation(self, number: int) -> Conversation:
        """One conversation.

        Raises:
            ApiError: 404, there is none.
        """
        try:
            return self.place(number).conversations.get(number)
        except InputError as error:
            raise not_found(error) from None

    def message(self, number: int) -> StoredMessage:
        """One message; errors as above."""
        try:
            return self.place(number).conversations.message(number)
        except InputError as error:
            raise not_found(error) from None

    def is_kept(self, number: int) -> bool:
        """Whether a conversation or message is in the profile."""
        return self.place(number) is self.profile

    def remove(self, number: int) -> None:
        """Remove a conversation; errors as above."""
        self.place(self.conversation(number).id).conversations.remove(number)
        self._read.pop(number, None)

    def remove_all(self) -> None:
        """Remove all conversations, kept or not."""
        for place in self.places():
            with place.database.write():
                for conversation in place.conversations.all():
                    place.conversations.remove(conversation.id)
        self._read.clear()

    def choices(self, number: int) -> list[RecordChoice]:
        """The active records that a conversation reads, in order."""
        if self.is_kept(number):
            chosen = self.place(number).conversations.choices(number)
        else:
            chosen = list(self._remembered(number))
        return [choice for choice in chosen if choice.record.active]

    def choose(self, number: int | None, question: str) -> tuple[Chosen, list[RecordChoice]]:
        """What a question would add to a conversation, and all that it would read then."""
        selection = Selection(chosen=() if number is None else tuple(self.choices(number)))
        added = self.own.select(selection, question)
        return added, list(selection.chosen)

    def add_choices(self, number: int, choices: Sequence[RecordChoice]) -> None:
        """Let a conversation read more records, after those that it reads already."""
        if self.is_kept(number):
            with self.place(number).database.write():
                self.place(number).conversations.add_choices(number, self._new(number, choices))
            return
        with self._lock:
            added = [(choice.record.id, choice.reason) for choice in choices]
            known = dict(self._read.get(number, ()))
            self._read[number] = [*known.items(), *(one for one in added if one[0] not in known)]

    def export(self) -> Iterator[str]:
        """Everything as JSON lines."""
        return chain.from_iterable(export.jsonl(place) for place in self.places())

    def close(self) -> None:
        """Forget what is in memory."""
        self.memory.close()

    def _new(self, number: int, choices: Sequence[RecordChoice]) -> list[RecordChoice]:
        stored = self.place(number).conversations.choices(number)
        known: Collection[int] = {choice.record.id for choice in stored}
        return [choice for choice in choices if choice.record.id not in known]

    def _remembered(self, number: int) -> Iterator[RecordChoice]:
        for record, reason in self._read.get(number, ()):
            try:
                yield RecordChoice(self.own.records.get(record), reason)
            except InputError:  # removed since
                continue


def not_found(error: InputError) -> ApiError:
    """A 404."""
    return ApiError(404, error.message, code="not_found")
