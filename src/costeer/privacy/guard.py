"""The guard: what models may read of a request, and how the display undoes it.

Everything is rewritten before any model reads it: context, query, earlier turns, system message and
stop strings. Decoding knows nothing of it.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, get_args

from costeer.exceptions import ParameterError
from costeer.marks import has_send
from costeer.models.base import Message
from costeer.privacy.conversations import WireConversation, WireConversations
from costeer.privacy.detect import detect, readings
from costeer.privacy.entities import EntityFinder, mask, stands_in
from costeer.privacy.links import hosts
from costeer.privacy.names import find_names
from costeer.privacy.preflight import describe, held
from costeer.privacy.restore import Restorer
from costeer.privacy.sending import sent_records
from costeer.privacy.stand_ins import StandIns
from costeer.privacy.values import LEVEL_OF_KIND, Level, Value, merge, split_level

GuardMode = Literal["off", "stand-in", "strict"]
GUARD_MODES: tuple[GuardMode, ...] = get_args(GuardMode)


def checked_guard(name: str) -> GuardMode:
    """Return the mode of that name.

    Raises:
        ParameterError: there is none.
    """
    for mode in GUARD_MODES:
        if name == mode:
            return mode
    raise ParameterError(
        f"There is no guard {str(name)[:40]!r}.", f"Guards: {', '.join(GUARD_MODES)}."
    )


REMEMBERED = 256
"""Values that were found in contexts and stay known; the oldest is forgotten first."""

_RECORD_BREAK = re.compile(r"(\n[ \t]*\n\s*)")


@dataclass(frozen=True, slots=True)
class Guarded:
    """A request as models may read it.

    Attributes:
        messages: for all models.
        context: for the small model.
        stop: strings that end the answer, compared with what the models write.
        restorer: for the display.
        conversation: its stand-ins and wire messages up to the question.
        asked_before: whether the question has an answer already, whose stand-ins these are.
        note: what the person should know; holds no private text.
    """

    messages: list[Message]
    context: str
    stop: tuple[str, ...]
    restorer: Restorer
    conversation: WireConversation
    asked_before: bool
    note: str

    @property
    def active(self) -> bool:
        """Whether anything is replaced."""
        return self.conversation.stand_ins.active


class Guard:
    """Rewrites requests. Threads may share one: answers of a conversation share its stand-ins.

    Args:
        mode: "off" sends what it is given; "stand-in" replaces the values that are confirmed or
            detected; "strict" also every date, number and capitalised word of the context, whatever
            its level says, and refuses what it cannot replace.
        confirmed: the person's own list.
        rng: for stand-ins; the operating system's randomness by default.
        entities: finds values that rules do not; None for the rules alone. Not used when "off".

    Raises:
        ParameterError: no such mode.
    """

    def __init__(
        self,
        mode: GuardMode = "stand-in",
        confirmed: Sequence[Value] = (),
        rng: random.Random | None = None,
        entities: EntityFinder | None = None,
    ) -> None:
        self.mode = checked_guard(mode)
        self.confirmed = list(confirmed)
        self.entities = entities
        self._rng = rng
        self._conversations = WireConversations(rng)
        self._latest: tuple[str, list[Value]] | None = None  # a context and its values
        self._earlier: dict[Value, None] = {}  # found so far, in any context
        self._lock = threading.Lock()

    @property
    def on(self) -> bool:
        """Whether anything is guarded."""
        return self.mode != "off"

    def in_mode(self, mode: GuardMode) -> Guard:
        """Another guard with the same list, whose conversations are its own."""
        other = Guard(mode, rng=self._rng, entities=self.entities)
        other.confirmed = self.confirmed
        return other

    def prepare(
        self,
        messages: Sequence[Message],
        context: str,
        stop: Sequence[str] = (),
        conversation: WireConversation | None = None,
    ) -> Guarded:
        """Rewrite a request.

        Args:
            messages: as the person sees them.
            context: private text.
            stop: strings that end the answer.
            conversation: whose stand-ins hold on, for another answer to the same question.

        Raises:
            GuardError: a value would be left somewhere.
        """
        kept, values = self._read(context)
        said = [message["content"] for message in messages]
        if not self.on:
            note = describe(held(self._with_earlier(values), said), replaced=False)
            nothing = WireConversation(StandIns(), list(messages))
            return Guarded(
                list(messages),
                kept,
                tuple(stop),
                nothing.stand_ins.restorer(),
                nothing,
                False,
                note,
            )
        with self._lock:  # else another answer could use stand-ins of which half are there
            return self._rewrite(messages, kept, values, stop, conversation)

    def _rewrite(
        self,
        messages: Sequence[Message],
        kept: str,
        values: Sequence[Value],
        stop: Sequence[str],
        conversation: WireConversation | None,
    ) -> Guarded:
        said = [message["content"] for message in messages]
        found, known = self._conversations.find(messages)
        asked_before = self._conversations.stand_ins(messages)
        stand_ins = conversation.stand_ins if conversation else asked_before or found.stand_ins
        conversation = WireConversation(stand_ins, found.wire)
        new = messages[known:]
        texts = [kept, *(message["content"] for message in new), *stop]
        earlier = self._with_earlier(values)[len(values) :]
        values = [*values, *held(earlier, texts)]
        stand_ins.give_way(texts)
        stand_ins.admit(values, texts)
        conversation.wire += [
            {**message, "content": stand_ins.to_wire(message["content"])} for message in new
        ]
        context = stand_ins.to_wire(kept)
        own = [one["content"] for one in conversation.wire if one["role"] != "assistant"]
        return Guarded(
            list(conversation.wire),
            context,
            tuple(map(stand_ins.to_wire, stop)),
            stand_ins.restorer(hosts([*own, context])),
            conversation,
            asked_before is not None,
            describe(held(values, [kept, *said]), replaced=True),
        )

    def values(self, context: str) -> list[Value]:
        """The confirmed values, then those found in a context, each with its level."""
        return list(self._read(context)[1])

    def exposed(self, messages: Sequence[Message], context: str) -> list[Value]:
        """The values that a request holds and that would go up as they are."""
        if self.on:
            return []
        said = [message["content"] for message in messages]
        return held(self._read(context)[1], [*said, *sent_records(context)])

    def keep(
        self, messages: Sequence[Message], guarded: Guarded, answer: str, wire_answer: str
    ) -> None:
        """Remember an answer, so that the next turn sends it as it was written."""
        if self.on:
            with self._lock:
                self._conversations.keep(messages, guarded.conversation, answer, wire_answer)

    def _read(self, context: str) -> tuple[str, list[Value]]:
        """What the small model alone may read of a context, and all values that are known."""
        latest = self._latest  # read once: another thread may put its own context there
        if latest is None or latest[0] != context:
            self._latest = latest = (context, self._values(context))
            self._remember(latest[1])
        records = [text for level, text in _records(context) if level != "withheld"]
        return "".join(text for text in records if not has_send(text)).strip("\n"), latest[1]

    def _remember(self, values: Sequence[Value]) -> None:
        """Keep what was found: applications send on what was shown to them, without the context."""
        with self._lock:
            self._earlier |= dict.fromkeys(values)
            for oldest in list(self._earlier)[:-REMEMBERED]:
                del self._earlier[oldest]

    def _with_earlier(self, values: Sequence[Value]) -> list[Value]:
        return list(dict.fromkeys([*values, *list(self._earlier)]))

    def _values(self, context: str) -> list[Value]:
        """The confirmed values, those that rules find, then names, then entities.

        Those that are found have the level of their record or kind. Each step reads a text in which
        the values of those before it are masked, so that it changes nothing for them, nor they for
        what it finds.
        """
        strict = self.mode == "strict"
        records = [(level, one) for level, text in _records(context) for one in readings(text)]
        found = [
            (level, one)
            for level, text in records
            for one in detect(text, strict=strict and not has_send(text))
        ]
        known = merge(self.confirmed, [one for level, one in found if strict or level != "open"])
        found += [(level, one) for level, text in records for one in find_names(text, known)]
        if self.on and self.entities is not None:
            read = [(level, text) for level, text in records if strict or level != "open"]
            known = merge(self.confirmed, [value for _, value in found])
            new = self.entities.find("\n\n".join(text for _, text in read), known)
            masked = [(level, mask(text, known)[0]) for level, text in read]
            found += [(level, one) for level, text in masked for one in new if stands_in(one, text)]
        detected = [_at_level(one, level) for level, one in found if strict or level != "open"]
        values = list(dict.fromkeys(merge(self.confirmed, detected)))
        return [_at_least_stand_in(value) for value in values] if strict else values


def _records(context: str) -> list[tuple[Level | None, str]]:
    """Records with their levels; the blank lines behind a record belong to it."""
    parts = [*_RECORD_BREAK.split(context.replace("\r\n", "\n")), ""]
    return [
        (level, text + parts[at + 1])
        for at in range(0, len(parts) - 1, 2)
        for level, text in [split_level(parts[at])]
    ]


def _at_level(value: Value, level: Level | None) -> Value:
    return replace(value, level=level or LEVEL_OF_KIND[value.kind])


def _at_least_stand_in(value: Value) -> Value:
    return value if value.level != "open" else Value(value.text, value.kind, "stand-in")
