"""Watching whether the cloud's rows are what a language model could mean.

The device compares how uncertain each row is with how uncertain its own small model is without the
context. Where the cloud's rows are flatter by far, steering stops: with a flat row the difference
alone would decide, and would write the context out. Both numbers are public, so that noticing tells
nothing about the context.

It is no proof of honesty: a cloud that is flat only where the small model is uncertain too, among
the names that may follow "Your name is", is not noticed (docs/privacy.md has what it gets).
"""

from __future__ import annotations

import numpy.typing as npt
from numpy import float32

from costeer.decoding.plausibility import entropy, least_entropy

Array = npt.NDArray[float32]

ALLOWED = 2.0
"""Nats a position by which an honest row may be the less certain one."""

ENOUGH = 5.0
"""Nats beyond that, added up over neighbouring positions, at which steering stops. Measured on the
default pair: docs/privacy.md."""

WARNING = (
    "The large model's numbers are flatter than any honest model's: steering has stopped, because "
    "they would make your device write out what you told it. Do not trust this server."
)


class Watch:
    """What is known of one answer's rows.

    Args:
        tripped: an earlier answer has been stopped already.

    Attributes:
        tripped: whether steering has stopped.
    """

    def __init__(self, *, tripped: bool = False) -> None:
        self._own: list[float] = []  # entropy of the small model's row, by position
        self._sums: list[float] = []  # of the excess after each position
        self.tripped = tripped

    def saw_own(self, first: int, rows: Array) -> None:
        """The small model's rows without the context.

        Args:
            first: position of the first row; what was known from there on is replaced.
            rows: (n, V) natural log.
        """
        del self._own[first:], self._sums[first:]
        unread = first - len(self._own)  # the small model was not read there
        self._own += [float("inf")] * unread + entropy(rows).tolist()

    def trusts(self, position: int, top_logprobs: Array) -> bool:
        """Whether steering may go on, now that a row has come.

        Args:
            position: of the row; the same one may come again, wider.
            top_logprobs: (k,) natural log, as received.
        """
        if self.tripped or position >= len(self._own) or not top_logprobs.size:
            return not self.tripped
        excess = least_entropy(top_logprobs) - self._own[position] - ALLOWED
        before = self._sums[position - 1] if 0 < position <= len(self._sums) else 0.0
        again = self._sums[position] if position < len(self._sums) else 0.0
        del self._sums[position:]
        self._sums += [0.0] * (position - len(self._sums))
        self._sums.append(max(before + excess, again, 0.0))
        self.tripped = self._sums[position] > ENOUGH
        return not self.tripped
