"""The strength of one answer, by position: it may be changed while the answer is written.

A change takes effect at the next undecided token. The record of changes is kept with the answer:
the same seed and the same record give the same text. Knows nothing about models.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import pairwise

from costeer.decoding.strength import Strength, resolve_strength
from costeer.exceptions import ParameterError

StrengthRecord = Sequence[tuple[int, float | str]]
"""(position, strength) pairs: each holds from its position of the answer up to the next one's."""


class StrengthSchedule:
    """The strength at each position; ``change`` may be called from any thread.

    Args:
        strength: a name or a number (``decoding.strength``), or the record of an earlier answer.
        begin: the first position that is not decided yet.

    Attributes:
        record: what was in effect so far, a ``StrengthRecord``.

    Raises:
        ParameterError: there is no such strength, or a record does not begin at position 0.
    """

    def __init__(self, strength: float | str | StrengthRecord, begin: int = 0) -> None:
        planned = [(0, strength)] if isinstance(strength, (float, int, str)) else list(strength)
        positions = [position for position, _ in planned]
        if positions[:1] != [0] or any(b <= a for a, b in pairwise(positions)):
            raise ParameterError("A record of strengths begins at position 0, and positions rise.")
        self._planned = [
            (position, chosen, resolve_strength(chosen)) for position, chosen in planned
        ]
        self._lock = threading.Lock()
        self._next = begin
        self.first = self._current = self._planned[0][2]
        self.record: list[tuple[int, float | str]] = []

    def change(self, strength: float | str) -> None:
        """Use another strength from the next undecided token on, whatever was planned.

        Raises:
            ParameterError: there is no such strength.
        """
        resolved = resolve_strength(strength)
        with self._lock:
            earlier = [one for one in self._planned if one[0] < self._next]
            self._planned = [*earlier, (self._next, strength, resolved)]

    def fix(self, position: int) -> Strength:
        """Return the strength of a position, which no change can alter from now on.

        Args:
            position: positions are fixed in rising order; some at the beginning may be left out.
        """
        with self._lock:
            self._next = position + 1
            while self._planned and self._planned[0][0] <= position:
                begin, chosen, self._current = self._planned.pop(0)
                if not self.record or self.record[-1][1] != chosen:
                    self.record.append((begin, chosen))
            return self._current
