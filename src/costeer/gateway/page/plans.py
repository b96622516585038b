"""An answer before it begins: where it will stand, what is read for it, how values are kept.

Changes nothing: neither conversations nor what has left the device.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from costeer.gateway import values
from costeer.gateway.page.asked import Asked
from costeer.gateway.page.storage import Storage
from costeer.models.base import Message as Turn
from costeer.privacy.guard import GuardMode, checked_guard
from costeer.profile.conversations import StoredMessage
from costeer.profile.selection import RecordChoice, context_list
from costeer.profile.sent import is_sent
from costeer.profile.traces import Trace
from costeer.serving.errors import ApiError


@dataclass(frozen=True, slots=True)
class Place:
    """Where an answer will stand.

    Attributes:
        path: the messages before the question.
        text: of the question.
        question: its number, if it is stored already.
        old: the answer that this one is another version of.
    """

    path: Sequence[StoredMessage]
    text: str = field(repr=False)
    question: int | None = None
    old: StoredMessage | None = None

    @property
    def turns(self) -> list[Turn]:
        """The public conversation."""
        before: list[Turn] = [{"role": one.role, "content": one.text} for one in self.path]
        return [*before, {"role": "user", "content": self.text}]

    @property
    def latest(self) -> StoredMessage | None:
        """The answer that this one is another version of, or else the one before the question."""
        answers = (one for one in reversed(self.path) if one.role == "assistant")
        return self.old or next(answers, None)


@dataclass(frozen=True, slots=True)
class Reading:
    """What is read for an answer, and what of it is new in the conversation.

    Attributes:
        read: the records.
        new: those that the conversation has not read before.
        context: private text and records.
        stays: how many of the records are not sent.
        characters: of all private text that is not sent.
    """

    read: Sequence[RecordChoice] = ()
    new: Sequence[RecordChoice] = ()
    context: str = field(default="", repr=False)
    stays: int = 0
    characters: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """An answer before it begins.

    Attributes:
        place: where it will stand.
        trace: of the answer that it is another version of.
        reading: what is read for it.
        guard: how the person's values are kept in it; None if nothing says so yet.
    """

    place: Place
    trace: Trace | None
    reading: Reading
    guard: GuardMode | None


def make_plan(storage: Storage, text: str, number: int | None, asked: Asked) -> Plan:
    """The plan of an answer.

    Args:
        storage: of conversations and records.
        text: private text that every conversation reads, in front of the records.
        number: of the conversation; None for a new one.
        asked: what is asked for.

    Raises:
        ApiError: no such conversation or message, or it cannot be asked so.
    """
    place = Place((), asked.text or "") if number is None else _place(storage, number, asked)
    trace = _trace(storage, place.old)
    reading = _reading(storage, text, number, place.text, trace, asked)
    return Plan(place, trace, reading, _guard(trace, _trace(storage, place.latest), asked))


def _guard(old: Trace | None, latest: Trace | None, asked: Asked) -> GuardMode | None:
    """As the person chose now, or for the latest answer, where that was to send stand-ins.

    What only continues an answer, or is shown beside it, sends what that answer has sent.
    """
    if old is not None and (asked.go_on is not None or asked.alone):
        return guard_of(old)
    if asked.guard is None and latest is not None and guard_of(latest) != "off":
        return guard_of(latest)
    return asked.guard


def guard_of(trace: Trace) -> GuardMode:
    """How values were kept in an answer; traces of before there was a choice do not say."""
    return checked_guard(trace.details.get("guard", "off"))


def _place(storage: Storage, number: int, asked: Asked) -> Place:
    storage.conversation(number)
    conversations = storage.place(number).conversations
    wanted = asked.edit or asked.regenerate or asked.go_on
    if wanted is None:
        assert asked.text is not None  # noqa: S101 - see ``parse``
        path = conversations.branch(number)
        if not path or path[-1].role != "user":
            return Place(path, asked.text)
        same = path[-1].text == asked.text  # a question that got no answer is asked again
        return Place(path[:-1], asked.text, path[-1].id if same else None)
    message = storage.message(wanted)
    if message.conversation != number:
        raise ApiError(404, f"There is no message {wanted} in it.", code="not_found")
    if asked.text is not None:
        _check_role(message, "user", "edit")
        return Place(conversations.path(message.parent), asked.text)
    _check_role(message, "assistant", "regenerate" if asked.regenerate else "continue")
    *before, question = conversations.path(message.parent)
    return Place(before, question.text, question.id, message)


def _reading(
    storage: Storage, text: str, number: int | None, question: str, old: Trace | None, asked: Asked
) -> Reading:
    """What is read; an answer that goes on reads what it has read so far."""
    if asked.go_on is not None and old is not None and number is not None:
        known = set(old.details["read"])
        new, chosen = [], [c for c in storage.choices(number) if c.record.id in known]
    else:
        added, chosen = storage.choose(number, question)
        new = [choice for choice in added.read if choice.record.id not in asked.without]
    read = [choice for choice in chosen if choice.record.id not in asked.without]
    stays = [choice for choice in read if not is_sent(choice.record)]
    context, kept = (_join([text, *context_list(some)]) for some in (read, stays))
    return Reading(read, new, context, len(stays), len(kept))


def _join(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _trace(storage: Storage, answer: StoredMessage | None) -> Trace | None:
    return None if answer is None else storage.place(answer.id).traces.get(answer.id)


def _check_role(message: StoredMessage, role: str, field: str) -> None:
    if message.role != role or (role == "assistant" and message.parent is None):
        raise values.wrong(field, "a question" if role == "user" else "an answer to a question")
