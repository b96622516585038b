"""What a person may ask for as strength, and what it means for the decoder."""

from __future__ import annotations

import math
from dataclasses import dataclass

from costeer.decoding.auto import AutoParams
from costeer.decoding.steering import LIGHT, PAPER, gain
from costeer.exceptions import ParameterError

AUTO = "auto"
LARGEST = 1e6
"""Its product with any difference is a number of float32."""

PRESETS = {"light": LIGHT, "paper": PAPER}


@dataclass(frozen=True, slots=True)
class Strength:
    """How strongly the context steers.

    Attributes:
        gain: the factor of the difference; with ``auto``, of a usual one.
        auto: the rule's numbers, where it decides token by token.
    """

    gain: float
    auto: AutoParams | None = None

    @property
    def factor(self) -> float:
        """What the decoder multiplies the device's numbers with; ``auto`` has done it already."""
        return self.gain if self.auto is None else 1.0


def resolve_strength(strength: float | str) -> Strength:
    """The meaning of "auto", "light", "paper", or a number, which is the gain itself.

    Raises:
        ParameterError: neither one of these names nor a number in range.
    """
    if strength == AUTO:
        return Strength(AutoParams().gain, AutoParams())
    if isinstance(strength, str) and strength in PRESETS:
        return Strength(gain(PRESETS[strength]))
    try:
        value = float(strength)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ParameterError(
            f"The strength {str(strength)[:40]!r} is not a number.",
            f"Give a number such as 0.5, or one of: {', '.join([AUTO, *PRESETS])}.",
        )
    if not 0 <= value <= LARGEST:
        raise ParameterError(
            f"The strength must be from 0 to {LARGEST:,.0f}, not {value:g}.",
            "0 is the large model alone; above 2 is too much already.",
        )
    return Strength(value)
