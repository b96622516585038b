"""Begins the answer to a question of the page.

Nothing is stored before the answer has begun: what cannot be answered leaves no trace.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from costeer.edge.answer import Beginning, Result
from costeer.gateway import values
from costeer.gateway.answering import Answer, Answering, Ask
from costeer.gateway.page import exposed, tokens
from costeer.gateway.page.asked import Asked
from costeer.gateway.page.plans import Place, Plan, Reading, make_plan
from costeer.gateway.page.storage import Storage
from costeer.gateway.page.writing import Beside, Finished, Keeping, PageAnswer, Sampling
from costeer.privacy.guard import GuardMode
from costeer.privacy.values import Value
from costeer.profile.selection import RecordChoice
from costeer.profile.traces import Trace
from costeer.serving.errors import ApiError

PRIORITY = 1
"""The page goes before applications, which have 0."""

ANOTHER = 0.7
"""The temperature of another answer to the same question, which would be the same one at 0."""


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
            ApiError: no such conversation or message, it cannot be asked so, or nothing says
                whether values of the person may be sent.
            CoSteerError: the question cannot be answered.
        """
        self.storage.conversation(number)
        if not asked.alone:
            self._refuse_to_keep(number)
        plan = self._plan(number, asked)
        if self._exposed(plan):
            raise exposed.undecided()
        place, trace, reading, guard = plan.place, plan.trace, plan.reading, plan.guard or "off"
        if asked.alone:
            return self._alone(number, place, reading, guard)
        begun = self._begun(trace, asked)
        sampling, beginning = self._sampling(trace, asked), _beginning(trace, begun)
        if beginning is not None and begun[-1]["end"]:
            answer: Answer = Finished(_ended(begun, beginning, guard))
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
                    guard=guard,
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

    def exposed(self, number: int | None, asked: Asked) -> list[dict[str, Any]]:
        """The person's values that would be sent as they are, if nothing says yet how.

        Args:
            number: of the conversation; None for a new one.
            asked: what would be asked.
        """
        plan = self._plan(number, asked)
        return exposed.describe(self._exposed(plan), plan.place.turns)

    def _plan(self, number: int | None, asked: Asked) -> Plan:
        return make_plan(self.storage, self.text, number, asked)

    def _exposed(self, plan: Plan) -> Sequence[Value]:
        """Nothing is where the person has decided, or where the LLM is in this process."""
        if plan.guard is not None or self.cloud is None:
            return ()
        return self.answering.exposed(plan.place.turns, plan.reading.context)

    def _refuse_to_keep(self, number: int) -> None:
        if self.storage.is_kept(number) and not self.storage.keeps:
            raise ApiError(
                400,
                "This conversation is kept, and nothing is to be kept now. Begin a new one, or let "
                "conversations be kept.",
                code="conversation_is_kept",
            )

    def _alone(self, number: int, place: Place, reading: Reading, guard: GuardMode) -> PageAnswer:
        """The LLM's own answer; the context only tells the guard what to replace."""
        ask = Ask(
            place.turns,
            context=reading.context,
            strength="off",
            candidates=tokens.CANDIDATES,
            priority=PRIORITY,
            keep_exchanges=True,
            guard=guard,
        )
        beside = None
        if place.old is not None and (self.storage.keeps or not self.storage.is_kept(number)):
            beside = Beside(self.storage.place(number), place.old.id, self.cloud)
        return PageAnswer(self.answering.start(ask), self.answering.spell, place.question, beside)

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
            stays=reading.stays,
            characters=reading.characters,
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


def _ended(begun: Sequence[tokens.Token], beginning: Beginning, guard: GuardMode) -> Result:
    """An answer to which nothing is added but its end."""
    return Result(
        text="".join(token["text"] for token in begun),
        token_ids=list(beginning.token_ids),
        finish_reason="stop",
        steps=1,
        guard=guard,
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
