"""Begins the answer to a question of the page.

Nothing is stored before the answer has begun: what cannot be answered leaves no trace.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from costeer.edge.answer import Beginning, Result
from costeer.gateway import values
from costeer.gateway.answering import Answer, Answering, Ask
from costeer.gateway.page import tokens
from costeer.gateway.page.asked import Asked
from costeer.gateway.page.storage import Storage
from costeer.gateway.page.writing import Finished, Keeping, PageAnswer, Sampling
from costeer.models.base import Message as Turn
from costeer.profile.conversations import StoredMessage
from costeer.profile.selection import RecordChoice, context_list
from costeer.profile.traces import Trace
from costeer.serving.errors import ApiError

PRIORITY = 1
"""The page goes before applications, which have 0."""

ANOTHER = 0.7
"""The temperature of another answer to the same question, which would be the same one at 0."""


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


@dataclass(frozen=True, slots=True)
class Reading:
    """What the small model reads, and what of it is new in the conversation."""

    read: Sequence[RecordChoice] = ()
    new: Sequence[RecordChoice] = ()
    context: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Asking:
    """Begins the answers of the page.

    Args:
        answering: writes them; it adds no private text of its own.
        storage: of conversations and records.
        text: private text that every conversation reads, in front of the records.
        cloud: the address of the LLM; None in this process.
    """

    answering: Answering
    storage: Storage
    text: str = field(default="", repr=False)
    cloud: str | None = None

    def start(self, number: int, asked: Asked) -> PageAnswer:
        """Begin an answer; call it in a thread.

        Raises:
            ApiError: no such conversation or message, or it cannot be asked so.
            CoSteerError: the question cannot be answered.
        """
        self.storage.conversation(number)
        if not asked.alone:
            self._refuse_to_keep(number)
        place = self._place(number, asked)
        if asked.alone:
            return self._alone(place)
        trace = self._trace(place.old)
        reading = self._reading(number, place.text, trace, asked)
        begun = self._begun(trace, asked)
        sampling, beginning = self._sampling(trace, asked), _beginning(trace, begun)
        if beginning is not None and begun[-1]["end"]:
            answer: Answer = Finished(_ended(begun, beginning))
        else:
            answer = self.answering.start(
                Ask(
                    place.turns,
                    context=reading.context,
                    strength=asked.strength,
                    temperature=sampling[0],
                    top_p=sampling[1],
                    seed=sampling[2],
                    candidates=tokens.CANDIDATES,
                    priority=PRIORITY,
                    beginning=beginning,
                    keep_exchanges=True,
                )
            )
        keeping = self._keeping(number, place, reading, sampling)
        return PageAnswer(answer, self.answering.spell, keeping.question, keeping, begun)

    def reading(
        self, number: int | None, text: str
    ) -> tuple[list[RecordChoice], list[RecordChoice]]:
        """The records that a question would read, and those left out for lack of room."""
        added, chosen = self.storage.choose(number, text)
        return chosen, list(added.left_out)

    def _refuse_to_keep(self, number: int) -> None:
        if self.storage.is_kept(number) and not self.storage.keeps:
            raise ApiError(
                400,
                "This conversation is kept, and nothing is to be kept now. Begin a new one, or let "
                "conversations be kept.",
                code="conversation_is_kept",
            )

    def _place(self, number: int, asked: Asked) -> Place:
        conversations = self.storage.place(number).conversations
        wanted = asked.edit or asked.regenerate or asked.go_on
        if wanted is None:
            assert asked.text is not None  # noqa: S101 - see ``parse``
            path = conversations.branch(number)
            if not path or path[-1].role != "user":
                return Place(path, asked.text)
            same = path[-1].text == asked.text  # a question that got no answer is asked again
            return Place(path[:-1], asked.text, path[-1].id if same else None)
        message = self.storage.message(wanted)
        if message.conversation != number:
            raise ApiError(404, f"There is no message {wanted} in it.", code="not_found")
        if asked.text is not None:
            _check_role(message, "user", "edit")
            return Place(conversations.path(message.parent), asked.text)
        _check_role(message, "assistant", "regenerate" if asked.regenerate else "continue")
        *before, question = conversations.path(message.parent)
        return Place(before, question.text, question.id, message)

    def _alone(self, place: Place) -> PageAnswer:
        ask = Ask(place.turns, strength="off", candidates=tokens.CANDIDATES, priority=PRIORITY)
        return PageAnswer(self.answering.start(ask), self.answering.spell, place.question)

    def _reading(self, number: int, text: str, trace: Trace | None, asked: Asked) -> Reading:
        """What is read; an answer that goes on reads what it has read so far."""
        if asked.go_on is not None and trace is not None:
            known = set(trace.details["read"])
            new, chosen = [], [c for c in self.storage.choices(number) if c.record.id in known]
        else:
            added, chosen = self.storage.choose(number, text)
            new = [choice for choice in added.read if choice.record.id not in asked.without]
        read = [choice for choice in chosen if choice.record.id not in asked.without]
        texts = [self.text, *context_list(read)]
        return Reading(read, new, "\n\n".join(one for one in texts if one.strip()))

    def _trace(self, old: StoredMessage | None) -> Trace | None:
        return None if old is None else self.storage.place(old.id).traces.get(old.id)

    def _begun(self, trace: Trace | None, asked: Asked) -> list[tokens.Token]:
        """The tokens that the answer goes on from."""
        if asked.go_on is None:
            return []
        known = [] if trace is None else tokens.unpack(trace.details["tokens"])
        if asked.position >= len(known):
            raise values.wrong("position", "a position of a token of the answer")
        chosen = tokens.replaced(known[asked.position], asked.token)
        if chosen is None:
            raise values.wrong("token", "one of the candidates at that position")
        chosen["end"] = not self.answering.spell(asked.token)[1]  # control tokens have no bytes
        return tokens.with_texts([*known[: asked.position], chosen], self.answering.spell)

    def _sampling(self, trace: Trace | None, asked: Asked) -> Sampling:
        temperature, top_p, seed = _sampling(trace, asked)
        return temperature, top_p, seed if self.answering.seeded else None

    def _keeping(self, number: int, place: Place, reading: Reading, sampling: Sampling) -> Keeping:
        """Store the question and what is read for it."""
        where = self.storage.place(number)
        with where.database.write():
            earlier, question = where.conversations.get(number), place.question
            if question is None:
                parent = place.path[-1].id if place.path else None
                question = where.conversations.attach(number, parent, "user", place.text).id
            self.storage.add_choices(number, reading.new)
            if not earlier.title:
                where.conversations.rename(number, title(place.text))
            shown = where.conversations.get(number).current
        return Keeping(
            place=where,
            conversation=number,
            question=question,
            shown=shown,
            earlier=earlier.current,
            is_new=place.question is None,
            titled=not earlier.title,
            read=[choice.record.id for choice in reading.read],
            characters=len(reading.context),
            sampling=sampling,
            cloud=self.cloud,
        )


def title(text: str, longest: int = 60) -> str:
    """The beginning of a question, in one line."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def _beginning(trace: Trace | None, begun: Sequence[tokens.Token]) -> Beginning | None:
    if trace is None or not begun:
        return None
    position = begun[-1]["i"]
    strengths = tuple((at, one) for at, one in trace.details["strengths"] if at <= position)
    ids = tuple(token["id"] for token in begun)
    return Beginning(ids, strengths, tuple(trace.details["recent"]))


def _ended(begun: Sequence[tokens.Token], beginning: Beginning) -> Result:
    """An answer to which nothing is added but its end."""
    return Result(
        text="".join(token["text"] for token in begun),
        token_ids=list(beginning.token_ids),
        finish_reason="stop",
        steps=1,
        strengths=list(beginning.strengths),
        recent=beginning.recent,
    )


def _sampling(trace: Trace | None, asked: Asked) -> Sampling:
    seed = secrets.randbits(32)
    if trace is None:
        return None, None, seed
    temperature, top_p, old_seed = trace.details["sampling"]
    if asked.go_on is not None:
        return temperature, top_p, old_seed
    same = asked.strength is None or str(asked.strength) == trace.strength
    return (ANOTHER if same and not asked.without else None), None, seed


def _check_role(message: StoredMessage, role: str, field: str) -> None:
    if message.role != role or (role == "assistant" and message.parent is None):
        raise values.wrong(field, "a question" if role == "user" else "an answer to a question")
