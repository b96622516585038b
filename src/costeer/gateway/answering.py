"""What the gateway needs of the device: something that answers, and how ``Costeer`` does.

Everything above this file knows nothing about models and about steering.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from costeer.edge.answer import Beginning, Chunk, Result
from costeer.edge.runtime import Costeer
from costeer.exceptions import InputError
from costeer.models.base import Message
from costeer.privacy.guard import GuardMode
from costeer.privacy.values import Value

Context = Callable[[Sequence[Message]], str]
"""Chooses the private text for a conversation."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One answer that is asked for; None stands for the gateway's own default.

    Attributes:
        messages: the public conversation; this leaves the device.
        context: private text of the request itself, beside the person's own.
        profile: the name of the profile to read.
        strength: a name or a number.
        max_tokens: None for as many as fit.
        temperature: 0 is greedy.
        top_p: above 0, at most 1.
        seed: None for a new one.
        stop: texts that end the answer.
        candidates: how many candidates each step describes.
        priority: who goes first where answers wait.
        beginning: tokens that the answer goes on from.
        keep_exchanges: whether the result holds the requests to the cloud as they were sent.
        guard: of this answer, as the person chose; one that all answers have is never lifted.
    """

    messages: Sequence[Message]
    context: str = field(default="", repr=False)
    profile: str | None = None
    strength: float | str | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    candidates: int = 0
    priority: int = 0
    beginning: Beginning | None = field(default=None, repr=False)
    keep_exchanges: bool = False
    guard: GuardMode | None = None


class Answer(Protocol):
    """An answer under way. One thread iterates; the rest may be called from any."""

    @property
    def result(self) -> Result:
        """What is known so far."""
        ...

    def __iter__(self) -> Iterator[Chunk]: ...

    def set_strength(self, strength: float | str) -> None:
        """Use another strength from the next undecided token on."""
        ...

    def stop(self) -> None:
        """End soon; does not wait."""
        ...


class Answering(Protocol):
    """Something that answers. Safe to use from several threads."""

    @property
    def places(self) -> int:
        """How many answers are written at the same time."""
        ...

    @property
    def seeded(self) -> bool:
        """Whether a seed repeats an answer; under a cap on evidence there is none."""
        ...

    @property
    def profiles(self) -> Collection[str]:
        """Names of profiles that may be asked for."""
        ...

    def start(self, ask: Ask) -> Answer:
        """Begin an answer; may take long (the prompt is tokenized).

        Raises:
            CoSteerError: it cannot be answered as asked.
        """
        ...

    def exposed(self, messages: Sequence[Message], context: str) -> Sequence[Value]:
        """The person's values that these messages would send as they are."""
        ...

    def spell(self, token: int) -> tuple[str, bytes]:
        """A token for people, and the bytes that it adds to a text: none for a control token."""
        ...

    def is_text(self, token: int) -> bool:
        """Whether there is such a token, and it adds to a text."""
        ...

    def stop(self) -> None:
        """End all answers under way."""
        ...


class DeviceAnswering:
    """``Answering`` by a ``Costeer``, which stays the caller's to close.

    Args:
        costeer: writes the answers.
        context: the person's own private text, chosen for a conversation; the usual one.
        named: further ones, by the name of their profile.
        temperature: where a request does not say.
        top_p: where a request does not say.
        max_tokens: the most tokens of any answer; None for as many as fit.
    """

    def __init__(
        self,
        costeer: Costeer,
        context: Context = lambda messages: "",
        named: Mapping[str, Context] | None = None,
        *,
        temperature: float = 0.0,
        top_p: float = 1.0,
        max_tokens: int | None = None,
    ) -> None:
        self._costeer = costeer
        self._context = context
        self._named = dict(named or {})
        self._temperature = temperature
        self._top_p = top_p
        self._max_tokens = max_tokens

    @property
    def places(self) -> int:
        """See ``Answering``."""
        return self._costeer.lanes.count

    @property
    def seeded(self) -> bool:
        """See ``Answering``."""
        return self._costeer.protection.budget is None

    @property
    def profiles(self) -> Collection[str]:
        """See ``Answering``."""
        return tuple(self._named)

    def start(self, ask: Ask) -> Answer:
        """See ``Answering``."""
        limits = [limit for limit in (ask.max_tokens, self._max_tokens) if limit is not None]
        return self._costeer.stream(
            ask.messages,
            self._private(ask),
            max_tokens=min(limits, default=None),
            shorten=True,
            answer_guard=ask.guard,
            temperature=self._temperature if ask.temperature is None else ask.temperature,
            top_p=self._top_p if ask.top_p is None else ask.top_p,
            seed=self._seed(ask),
            strength=ask.strength,
            stop=ask.stop,
            candidates=ask.candidates,
            priority=ask.priority,
            beginning=ask.beginning,
            keep_exchanges=ask.keep_exchanges,
        )

    def exposed(self, messages: Sequence[Message], context: str) -> Sequence[Value]:
        """See ``Answering``."""
        return self._costeer.protection.guard.exposed(messages, context)

    def spell(self, token: int) -> tuple[str, bytes]:
        """See ``Answering``."""
        tokenizer = self._costeer.slm.tokenizer
        raw = tokenizer.decode_bytes([token])
        return (raw.decode("utf-8", "replace") if raw else tokenizer.vocabulary.tokens[token]), raw

    def is_text(self, token: int) -> bool:
        """See ``Answering``."""
        return 0 <= token < self._costeer.slm.vocab_size and bool(self.spell(token)[1])

    def stop(self) -> None:
        """See ``Answering``."""
        self._costeer.stop()

    def _seed(self, ask: Ask) -> int:
        """A new one where none is asked for; under a budget the noise is not from a seed."""
        if ask.seed is not None:
            return ask.seed
        return secrets.randbits(32) if self.seeded else 0

    def _private(self, ask: Ask) -> str:
        if ask.profile is not None and ask.profile not in self._named:
            raise InputError("There is no such profile.", "See /v1/models.")
        if ask.strength == "off":  # what is sent may still hold values of any context
            for context in (self._context, *self._named.values()):
                self._costeer.protection.guard.values(context(ask.messages))
            return ask.context
        own = self._named[ask.profile] if ask.profile is not None else self._context
        texts = (own(ask.messages), ask.context)
        return "\n\n".join(text for text in texts if text.strip())
