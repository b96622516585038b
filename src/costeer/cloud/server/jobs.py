"""One request as the scheduler sees it, and the errors for requests that it cannot take.

Knows token ids; nothing about threads or engines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from costeer.cloud.base import CloudStep
from costeer.cloud.server.slots import Slot
from costeer.exceptions import CoSteerError

FinishReason = Literal["stop", "length"]


class QueueFullError(CoSteerError):
    """Too many requests are waiting."""


class ClosedError(CoSteerError):
    """The server is shutting down."""


@dataclass(eq=False, slots=True)
class Job:
    """One request, and the outbox in which its steps are collected."""

    prompt: tuple[int, ...]
    top_k: int
    max_tokens: int
    stop_ids: frozenset[int]  # the step of such a token is the last
    notify: Callable[[], None]  # called by the worker whenever there is something to take
    outbox: deque[CloudStep] = field(default_factory=deque)
    cached: int = 0  # prompt tokens that did not have to be evaluated
    finish: FinishReason | None = None
    error: Exception | None = None
    cancelled: bool = False
    # For the worker only.
    slot: Slot | None = None
    done: int = 0  # steps computed
    # Ids to evaluate, each piece in a call of its own: the rest of the prompt, or one token.
    todo: list[Sequence[int]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Whether nothing more will be computed."""
        return self.cancelled or self.finish is not None or self.error is not None
