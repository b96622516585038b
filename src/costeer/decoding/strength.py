"""The strengths that users can choose, and what they mean for decoding.

``off`` is the large model alone. ``gentle``, ``auto`` and ``strong`` are the rule of
``decoding.auto`` with half, all, and one and a half times its gain. ``light`` and ``paper`` are
constant gains, the paper's settings for 1 and 20 steps; a number is a constant gain too.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from costeer.decoding.auto import AutoParams
from costeer.decoding.steering import LIGHT, PAPER, gain
from costeer.exceptions import ParameterError

AUTO = AutoParams()
RULES = {
    "gentle": replace(AUTO, gain=0.5 * AUTO.gain),
    "auto": AUTO,
    "strong": replace(AUTO, gain=1.5 * AUTO.gain),
}
LARGEST = 1e6
"""Small enough that its product with any delta is a finite float32."""

GAINS = {"off": 0.0, "light": gain(LIGHT), "paper": gain(PAPER)}
NAMES = ("off", *RULES, "light", "paper")


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly the context steers.

    Attributes:
        gain: multiplier of the delta; with ``auto``, where its weight is full.
        auto: the rule that sets the gain token by token; None for a constant gain.
    """

    gain: float
    auto: AutoParams | None = None

    @property
    def factor(self) -> float:
        """The multiplier that decoding applies: 1 with ``auto``, which has scaled the delta."""
        return self.gain if self.auto is None else 1.0


def resolve_strength(strength: float | str) -> Strength:
    """Return the meaning of one of ``NAMES``, or of a number, which is the gain itself.

    Raises:
        ParameterError: it is neither one of these names nor a number in range.
    """
    if isinstance(strength, str) and strength in RULES:
        return Strength(RULES[strength].gain, RULES[strength])
    if isinstance(strength, str) and strength in GAINS:
        return Strength(GAINS[strength])
    try:
        value = float(strength)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(
            f"The strength {str(strength)[:40]!r} is neither a name nor a number.",
            f"Give one of {', '.join(NAMES)}, or a number such as 0.5.",
        )
    if not 0 <= value <= LARGEST:
        raise ParameterError(
            f"The strength must be from 0 to {LARGEST:,.0f}, not {value:g}.",
            "0 is the large model alone; anything above 2 is too much.",
        )
    return Strength(value)
