"""An answer for the page: its tokens described as they come, and kept when it ends, however.

Keeping happens in the thread that writes, so what was written is kept even where nobody reads on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone

from costeer.cloud.base import TrafficRecord
from costeer.decoding.strength import resolve_strength
from costeer.edge.answer import Chunk, Result
from costeer.exceptions import InputError
from costeer.gateway.answering import Answer
from costeer.gateway.logprobs import Spell
from costeer.gateway.page.tokens import Token, describe, pack
from costeer.profile.conversations import Departure
from costeer.profile.profiles import Profile
from costeer.profile.traces import Trace

Sampling = tuple[float | None, float | None, int | None]
"""Temperature, top-p and seed; None stands for the gateway's own, which repeats nothing."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where an answer is kept, and what is known of it beforehand.

    Attributes:
        place: the database.
        conversation: its number.
        question: the message that it answers.
        shown: the message that was shown when the answer began; if it still is, the answer will be.
        earlier: the message that was shown before the question was stored.
        is_new: whether the question was stored for this answer.
        titled: whether the conversation got its title from the question.
        read: the numbers of the records that are read for it.
        stays: how many of them are not sent.
        characters: of all private text that is read for it and not sent.
        sampling: how its tokens are chosen.
        cloud: the address of the LLM; None in this process.
    """

    place: Profile
    conversation: int
    question: int
    shown: int | None
    earlier: int | None
    is_new: bool
    titled: bool
    read: Sequence[int]
    stays: int
    characters: int
    sampling: Sampling
    cloud: str | None

    def keep(self, tokens: Sequence[Token], result: Result) -> int | None:
        """Keep what was written; the number of the message, or None if there is no new text.

        A question whose answer failed without a word is not kept either; one that was stopped is,
        with what left the device for it.

        Raises:
            ProfileError: it cannot be written.
            InputError: the conversation was removed meanwhile.
        """
        place = self.place
        left = _departures(result, self.cloud)
        if not (result.steps and result.text):
            if self.is_new and result.finish_reason == "error":
                self._withdraw()
            else:
                place.conversations.add_departures(self.question, left)
            return None
        with place.database.write():
            current = place.conversations.get(self.conversation).current
            message = place.conversations.attach(
                self.conversation,
                self.question,
                "assistant",
                result.text,
                show=current == self.shown,
            )
            place.conversations.add_departures(message.id, left)
            place.traces.add(message.id, self._trace(tokens, result))
        return message.id

    def sends_stand_ins(self, result: Result) -> bool:
        """Whether stand-ins leave this device for the answer."""
        stand_ins = result.conversation and result.conversation.stand_ins
        return self.cloud is not None and bool(stand_ins and stand_ins.active)

    def _withdraw(self) -> None:
        conversations = self.place.conversations
        with suppress(InputError), self.place.database.write():  # answered in another window
            conversations.withdraw(self.question, self.earlier)
            if self.titled:
                conversations.rename(self.conversation, "")

    def _trace(self, tokens: Sequence[Token], result: Result) -> Trace:
        read = any(resolve_strength(one).gain for _, one in result.strengths)
        return Trace(
            strength=str(result.strength_at(len(result.token_ids) - 1)),
            finish_reason=result.finish_reason,
            changed=sum(token["changed"] for token in tokens),
            records=self.stays if read else 0,
            characters=self.characters if read else 0,
            details={
                "tokens": pack(tokens),
                "strengths": result.strengths,
                "recent": result.recent,
                "sampling": self.sampling,
                "read": self.read,
                "guard": result.guard,
                "stand_ins": self.sends_stand_ins(result),
            },
        )


@dataclass(frozen=True, slots=True)
class Beside:
    """Where an answer is shown beside a kept one, whose ledger has what left the device for both.

    Attributes:
        place: the database.
        message: the kept answer.
        cloud: the address of the LLM; None in this process.
    """

    place: Profile
    message: int
    cloud: str | None

    def keep(self, _: Sequence[Token], result: Result) -> None:
        """Keep what left the device, and nothing else; nothing where the answer was removed."""
        with suppress(InputError):
            left = _departures(result, self.cloud)
            self.place.conversations.add_departures(self.message, left)

    def sends_stand_ins(self, _: Result) -> bool:
        """The kept answer says it."""
        return False


@dataclass(frozen=True, slots=True)
class Finished:
    """An ``Answer`` that has ended already."""

    result: Result

    def __iter__(self) -> Iterator[Chunk]:
        """No more chunks."""
        return iter(())

    def set_strength(self, strength: float | str) -> None:
        """Change nothing: no token is undecided."""

    def stop(self) -> None:
        """Change nothing: it has ended."""


@dataclass
class PageAnswer:
    """An ``Answer`` whose tokens are described, and kept at its end.

    Attributes:
        question: the message that it answers; None if nothing is stored.
        tokens: so far; those that it goes on from first.
        begun: how many those are.
        message: the number under which it was kept; None before, or if it is not kept.
    """

    answer: Answer
    spell: Spell
    question: int | None = None
    keeping: Keeping | Beside | None = None
    tokens: list[Token] = field(default_factory=list)
    message: int | None = None

    def __post_init__(self) -> None:
        self.begun = len(self.tokens)

    @property
    def result(self) -> Result:
        """See ``Answer``."""
        return self.answer.result

    def __iter__(self) -> Iterator[Chunk]:
        """Write, and keep what was written however it ends."""
        try:
            for chunk in self.answer:
                self.tokens.append(describe(chunk, self.result, self.spell))
                yield chunk
        finally:
            if self.keeping is not None:
                self.message = self.keeping.keep(self.tokens, self.result)

    def set_strength(self, strength: float | str) -> None:
        """See ``Answer``."""
        self.answer.set_strength(strength)

    def stop(self) -> None:
        """See ``Answer``."""
        self.answer.stop()


Start = Callable[[], PageAnswer]


def _departures(result: Result, cloud: str | None) -> list[Departure]:
    exchanges = sorted(result.exchanges, key=lambda one: one.when)
    return [_departure(one, cloud) for one in exchanges if one.bytes_up]


def _departure(exchange: TrafficRecord, cloud: str | None) -> Departure:
    when = datetime.fromtimestamp(exchange.when, timezone.utc)
    path = exchange.what.partition(" ")[2]
    return Departure(
        left_at=when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        destination=f"{cloud or ''}{path}",
        body=exchange.body,
        bytes_up=exchange.bytes_up,
        bytes_down=exchange.bytes_down,
    )
