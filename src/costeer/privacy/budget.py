"""Drawing the tokens of one answer under the cap, and keeping account of it.

Randomness is the operating system's, fresh for every token, and never given by a caller: whoever
knew it would see the difference between the two laws as plainly as in greedy decoding.
"""

from __future__ import annotations

import math
import secrets
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from costeer.decoding.cap import MARGIN, STEP, Law, Pick, law
from costeer.exceptions import ParameterError
from costeer.privacy.odometer import Odometer

Array = npt.NDArray[np.float32]

DRY = (
    "The budget is spent: the answer goes on without your context. "
    "(`costeer budget show` says more; a larger --epsilon allows more.)"
)


def check_epsilon(epsilon: float) -> None:
    """Raise ParameterError where the cap is not a positive number."""
    if not (math.isfinite(epsilon) and epsilon > 0):
        raise ParameterError(
            f"epsilon must be a positive number, not {epsilon}.", "1 to 3 mean something."
        )


class Budget:
    """What one person may still give away.

    Args:
        epsilon: the cap on |L|; nats.
        odometer: holds L.
        pick: draws from whole-number weights; for tests that try every draw.

    Raises:
        ParameterError: epsilon is not a positive number.
    """

    def __init__(self, epsilon: float, odometer: Odometer, pick: Pick | None = None) -> None:
        check_epsilon(epsilon)
        self.epsilon = epsilon
        self.odometer = odometer
        self._pick = pick or pick_secretly

    @property
    def dry(self) -> bool:
        """Whether nothing is left, so that answers are no longer steered."""
        up, down = self._room()
        return min(up, down) <= MARGIN

    def choose(
        self,
        top_ids: npt.NDArray[np.int32],
        top_logprobs: Array,
        bonus: Array,
        temperature: float,
        top_p: float,
    ) -> tuple[int, float]:
        """Draw the next token, and count what it tells.

        Args: as for ``decoding.cap.law``.

        Returns:
            The token, and by how many nats it has changed L.
        """
        up, down = self._room()
        drawn_from = law(top_ids, top_logprobs, bonus, up, down, temperature, top_p)
        self.odometer.reserve(*_range(drawn_from), self.epsilon)
        index = self._pick(drawn_from.steered.tolist())
        nats = drawn_from.log_ratio(index)
        self.odometer.add(nats)
        return int(drawn_from.ids[index]), nats

    def _room(self) -> tuple[float, float]:
        """How far L may rise and fall with the next token."""
        up = min(STEP, self.epsilon - self.odometer.high)
        down = min(STEP, self.epsilon + self.odometer.low)
        return max(up, 0.0), max(down, 0.0)


def pick_secretly(weights: Sequence[int]) -> int:
    """An index with probability in proportion to its weight, exactly."""
    sums = list(accumulate(weights))
    return bisect_right(sums, secrets.randbelow(sums[-1]))


def _range(drawn_from: Law) -> tuple[float, float]:
    """By how much a draw can change L at least and at most; 0 is always within."""
    ratios = drawn_from.steered / drawn_from.plain
    ends = (drawn_from.log_ratio(int(ratios.argmin())), drawn_from.log_ratio(int(ratios.argmax())))
    return min(ends[0], 0.0), max(ends[1], 0.0)
