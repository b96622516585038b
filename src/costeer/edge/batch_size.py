"""How many steps of the LLM to check in one call of the small model.

More in one call cost less each, but after the first step that differs the rest was in vain, and
that step is seen later. With a share ``a`` of steps that agree, a call of n gives
``1 + a + ... + a^(n-1)`` useful ones; the n that gives most of them a second is taken. What a call
costs is measured as it goes.
"""

from __future__ import annotations

LONGEST = 16
"""Steps in one call at most."""


class Pace:
    """Learns from what happens; one for each small model, kept from answer to answer."""

    def __init__(self) -> None:
        self._agreement = 0.9
        self._seconds: dict[int, float] = {}

    def batch(self, available: int) -> int:
        """How many of ``available`` steps (at least 1) to check in the next call."""
        return max(range(1, min(available, LONGEST) + 1), key=self._rate)

    def spent(self, count: int, seconds: float) -> None:
        """A call for ``count`` steps took ``seconds``."""
        for other in self._seconds:  # what has not been seen for long is tried again some day
            self._seconds[other] *= 0.999
        seconds = max(seconds, 1e-9)
        known = self._seconds.get(count, seconds)
        self._seconds[count] = known + 0.2 * (seconds - known)

    def saw(self, *, agreed: bool) -> None:
        """One more step was decided."""
        self._agreement += 0.02 * (agreed - self._agreement)

    def _rate(self, count: int) -> float:
        """Useful steps a second in a call for ``count``."""
        a = self._agreement
        useful = count if a > 0.9999 else (1 - a**count) / (1 - a)
        return useful / self._cost(count)

    def _cost(self, count: int) -> float:
        """Seconds; of a size never tried that of the next smaller, so that it is tried once."""
        smaller = [size for size in self._seconds if size <= count]
        return self._seconds[max(smaller)] if smaller else 1e-9
