"""An answer while it is being written: its chunks, its counts, and how to stop it.

Knows nothing about models or the cloud.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, fields
from typing import Any

from costeer.cloud.base import TrafficRecord
from costeer.cloud.cancellation import Stop
from costeer.edge.schedule import StrengthRecord, StrengthSchedule
from costeer.edge.verify import Step
from costeer.exceptions import ParameterError
from costeer.privacy.conversations import WireConversation


@dataclass(frozen=True, slots=True)
class Chunk:
    """One step and the new text; "" while a character or a possible stop string is incomplete.

    ``end`` says that the token is an end of text, which has no text of its own.
    """

    text: str
    step: Step
    end: bool = False


@dataclass(frozen=True, slots=True)
class Beginning:
    """The first tokens of an answer, from which another one goes on.

    Attributes:
        token_ids: of the answer; no end of text among them.
        strengths: that were in effect; () for those of the new answer.
        recent: ``Result.recent`` for these positions, so far as it is known.
        conversation: the stand-ins that the tokens were written with.
    """

    token_ids: tuple[int, ...] = ()
    strengths: StrengthRecord = ()
    recent: tuple[float, ...] = field(default=(), repr=False)
    conversation: WireConversation | None = field(default=None, repr=False)


@dataclass(slots=True)
class Result:
    """An answer and how it came about. Counts are of steps; times are in seconds.

    ``proven + retried + unproven == steps``: proven from the first top k, proven after asking for
    more, and taken without proof because the server sends no more. ``corrected`` counts the steps
    where the LLM had drafted another token, ``received`` the steps that it sent, discarded ones and
    retries included.
    """

    text: str = ""
    token_ids: list[int] = field(default_factory=list)
    finish_reason: str = "unfinished"  # "stop", "length", "interrupted", "error"
    steps: int = 0
    changed: int = 0
    proven: int = 0
    retried: int = 0
    unproven: int = 0
    corrected: int = 0
    received: int = 0
    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0
    prompt_tokens: int = 0
    seconds: float = 0.0
    seconds_to_first_token: float = 0.0
    tokens_per_second: float = 0.0
    evidence: float = 0.0  # nats for the context, to a cloud that suspects it
    strength: str = ""
    gain: float = 0.0
    mode: str = ""
    guard: str = "off"
    note: str = ""
    warning: str = ""  # what went wrong while it was written; for the person
    strengths: list[tuple[int, float | str]] = field(default_factory=list)
    """What strength was in effect from which position on; the same seed and this give this text."""
    exchanges: tuple[TrafficRecord, ...] = field(default=(), repr=False)
    """Requests of this answer as they were sent, where that was asked for; known at the end."""
    recent: tuple[float, ...] = field(default=(), repr=False)
    """What the rule of ``decoding.auto`` remembers, by position; derived from private text."""

    conversation: WireConversation | None = field(default=None, repr=False)
    """The stand-ins of the answer."""

    sent: str = field(default="", repr=False)
    """The answer as the cloud has it, with stand-ins; known at the end."""

    def counts(self) -> dict[str, Any]:
        """The fields for a machine to read: all but those that tell of the private text."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.repr}

    def go_on(self, position: int, token: int | None = None) -> Beginning:
        """The beginning of another answer: this one up to ``position``, then ``token`` if given.

        The strength at that position holds for what follows. In run-ahead the LLM may have seen the
        token that is replaced: it was in its own draft, or was sent to it as decided.

        Raises:
            ParameterError: the answer has no such position.
        """
        if not 0 <= position <= len(self.token_ids):
            raise ParameterError(
                f"The answer has {len(self.token_ids):,} tokens; there is no position {position:,}."
            )
        ids = (*self.token_ids[:position], *(() if token is None else (token,)))
        strengths = tuple(one for one in self.strengths if one[0] <= position)
        return Beginning(ids, strengths, self.recent, self.conversation)

    def strength_at(self, position: int) -> float | str:
        """The strength that was in effect at a decided position."""
        return next(one for begin, one in reversed(self.strengths) if begin <= position)

    def count(self, step: Step, seconds: float) -> None:
        """Count one more step, decided ``seconds`` after the start."""
        self.steps += 1
        self.token_ids.append(step.token)
        self.changed += step.changed
        self.corrected += step.corrected
        self.received = step.received
        self.evidence += step.evidence
        if not step.proven:
            self.unproven += 1
        elif step.retries:
            self.retried += 1
        else:
            self.proven += 1
        if self.steps == 1:
            self.seconds_to_first_token = seconds


class Generation(Iterator[Chunk]):
    """An answer under way: iterate over its chunks. ``result`` is always up to date.

    Closing it (or leaving a ``with`` block) stops the work and keeps what was written. Another
    thread than the one that iterates may close it; the iteration then ends.
    """

    def __init__(
        self,
        chunks: Generator[Chunk, None, None],
        result: Result,
        stop: Stop,
        schedule: StrengthSchedule,
    ) -> None:
        self._chunks = chunks
        self._stop = stop
        self._schedule = schedule
        self._lock = threading.RLock()
        self._iterating = False
        self.result = result

    def __next__(self) -> Chunk:
        with self._lock:
            self._iterating = True
            try:
                return next(self._chunks)
            finally:
                self._iterating = False

    def set_strength(self, strength: float | str) -> None:
        """Use another strength from the next undecided token on; from any thread.

        Raises:
            ParameterError: there is no such strength.
        """
        self._schedule.change(strength)

    def stop(self) -> None:
        """Stop without waiting for the thread that iterates; it finds no more chunks."""
        self._stop.set()

    def close(self) -> None:
        """Stop here: requests under way are cut and nothing more is sent."""
        self._stop.set()
        with self._lock:  # waits for a thread that iterates
            if not self._iterating:  # else a signal handler in this thread is closing it
                self._chunks.close()

    def __enter__(self) -> Generation:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
