"""What steering adds to the LLM's log-probabilities in one answer, at a strength that may change.

The small model is read only where it is needed: without a context, or while the strength is "off",
nothing is computed and no lane is held (unless ``always``). What is returned is scaled by the
strength already, so decoding uses it with a gain of 1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack

import numpy as np

from costeer.decoding.auto import Auto, AutoParams, end_copies, following, private_part
from costeer.decoding.steering import Array
from costeer.decoding.steering import delta as difference
from costeer.decoding.strength import Strength
from costeer.edge.schedule import StrengthSchedule
from costeer.edge.slm import SlmPair
from costeer.edge.watch import Watch

TakeLane = Callable[[Sequence[int]], AbstractContextManager[SlmPair]]
"""Takes a lane for a private prompt; see ``lanes.Lanes.lane``."""


class LiveDelta:
    """A ``DeltaSource`` whose lane is taken when it is first needed and freed by ``close``.

    Args:
        take_lane: waits for a lane.
        schedule: the strength at each position.
        vocab_size: V.
        begun: tokens of the answer at the end of both prompts, where it goes on from them.
        recent: ``recent`` of the answer that this one goes on from, for these positions.
        longest_copy: tokens in a row, of the private text, that a constant gain may help to copy;
            None is any number. (A rule has a limit of its own.)
        watch: told of the rows without the context.
        always: read the small model even where it adds nothing, so that its silence tells nothing.
    """

    def __init__(
        self,
        take_lane: TakeLane,
        schedule: StrengthSchedule,
        vocab_size: int,
        begun: Sequence[int] = (),
        recent: Sequence[float] = (),
        *,
        longest_copy: int | None = None,
        watch: Watch | None = None,
        always: bool = False,
    ) -> None:
        self._take_lane = take_lane
        self._schedule = schedule
        self._zero: Array = np.zeros(vocab_size, np.float32)
        self._answer = list(begun)
        self._recent = list(recent[: len(begun)])
        self._rule: tuple[AutoParams, Auto] | None = None
        self._longest_copy = longest_copy
        self._after: Mapping[tuple[int, ...], list[int]] = {}
        self._watch = watch
        self._always = always
        self._plain: list[int] = []
        self._private: list[int] = []
        self._text: tuple[int, ...] = ()
        self._read = 0  # ids of the plain prompt and the answer that the lane holds
        self._pair: SlmPair | None = None
        self._lane = ExitStack()

    @property
    def recent(self) -> tuple[float, ...]:
        """What the rule of ``decoding.auto`` remembers, by position; derived from private text."""
        return tuple(self._recent)

    def begin(self, plain: Sequence[int], private: Sequence[int]) -> Array:
        """Take the prompts; return what to add (V,) at the first position."""
        self._plain, self._private = list(plain), list(private)
        self._text = private_part(plain, private)
        if self._longest_copy is not None:
            self._after = following(self._text, self._longest_copy)
        return self._bonus()

    def advance(self, token: int) -> Array:
        """Append a decided token; return what to add (V,) at the next position."""
        for ids in (self._answer, self._plain, self._private):
            ids.append(token)
        return self._bonus()

    def close(self) -> None:
        """Free the lane."""
        self._pair = None
        self._lane.close()

    def _bonus(self) -> Array:
        strength = self._schedule.fix(len(self._answer))
        missing = len(self._answer) - len(self._recent)  # where the rule was not at work
        self._recent += (self._recent[-1:] or [0.0]) * missing
        silent = strength.gain == 0 or self._plain == self._private
        if silent and not self._always:
            self._rule = None
            return self._zero
        with_context, without_context = self._rows()
        if self._watch is not None:
            self._watch.saw_own(len(self._answer), without_context)
        row: Array = self._scale(strength, with_context, without_context)[0]
        return self._zero if silent else row

    def _rows(self) -> tuple[Array, Array]:
        """The small model's rows (1, V), with and without the context."""
        if self._pair is None:
            self._pair = self._lane.enter_context(self._take_lane(self._private))
        one_more = self._read and self._read == len(self._plain) - 1
        self._read = 0  # until it is known that the call succeeded
        if one_more:
            rows = self._pair.extend(self._answer[-1])
        else:
            rows = self._pair.prefill(self._plain, self._private)
        self._read = len(self._plain)
        return rows

    def _scale(self, strength: Strength, with_context: Array, without_context: Array) -> Array:
        if strength.auto is None:
            self._rule = None
            scaled: Array = np.float32(strength.gain) * difference(with_context, without_context)
            end_copies(scaled, self._answer, self._after, self._longest_copy or 0)
            return scaled
        if self._rule is None or self._rule[0] != strength.auto:
            self._rule = (strength.auto, Auto(strength.auto, self._text, self._recent))
        bonus = self._rule[1].bonus(with_context, without_context, self._answer)
        self._recent = list(self._rule[1].recent)
        return bonus
