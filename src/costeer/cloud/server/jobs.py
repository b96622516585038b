"""What the scheduler moves about: a job is one request, a slot a place for one sequence.

Knows token ids; nothing of threads or engines.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass, field
from typing import Literal

from costeer.cloud.base import CloudStep
from costeer.models.base import Sequence
from costeer.models.prefix import common_length

FinishReason = Literal["stop", "length"]


@dataclass(eq=False, slots=True)
class Job:
    """One request, and the outbox through which its steps come back."""

    prompt: tuple[int, ...]
    top_k: int
    max_tokens: int
    stop_ids: frozenset[int]  # the step of such a token is the last
    notify: Callable[[], None]  # called from the worker whenever there is something to take
    outbox: deque[CloudStep] = field(default_factory=deque)
    cached: int = 0  # prompt tokens that did not have to be evaluated
    finish: FinishReason | None = None
    error: Exception | None = None
    cancelled: bool = False
    # The worker's own.
    slot: Slot | None = None
    done: int = 0  # steps given
    # Ids to evaluate, each piece in a call of its own: the rest of the prompt, or one token.
    todo: list[AbstractSequence[int]] = field(default_factory=list)

    @property
    def over(self) -> bool:
        """Nothing more will be computed."""
        return self.cancelled or self.finish is not None or self.error is not None


@dataclass(eq=False, slots=True)
class Slot:
    """A place for one sequence, opened when first needed."""

    sequence: Sequence | None = None
    used: int = 0  # the scheduler's clock when last taken
    ids: tuple[int, ...] = ()  # what the sequence held when the slot was last freed


def choose_slot(slots: Iterable[Slot], prompt: tuple[int, ...]) -> Slot:
    """The free slot whose prefix serves ``prompt`` best; among equals the least recently used.

    A prefix that is less than half of both the prompt and the slot (a chat template's first words,
    say) counts as none: taking that slot would throw away somebody's work for nothing.
    """

    def worth(slot: Slot) -> tuple[int, int]:
        common = common_length(slot.ids, prompt)
        useful = 2 * common >= min(len(slot.ids), len(prompt))
        return (common if useful else 0, -slot.used)

    return max(slots, key=worth)
