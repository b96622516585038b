"""The ways to answer whose leakage is compared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from costeer.exceptions import ParameterError
from costeer.privacy.guard import GuardMode

Reader = Literal["nobody", "cloud", "device"]
"""Who reads the context."""

ASSUMED = "auto"
"""The strength that an attacker assumes of an answer that was not steered."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One way to answer.

    Attributes:
        name: in rows.
        title: in tables.
        reader: who reads the context.
        strength: of the steering.
        guard: a mode of ``privacy.guard``.
        epsilon: the cap of ``decoding.cap``, fresh for each answer; None for none.
        temperature: 0 is greedy.
    """

    name: str
    title: str
    reader: Reader = "device"
    strength: float | str = ASSUMED
    guard: GuardMode = "off"
    epsilon: float | None = None
    temperature: float = 0.0

    @property
    def attacked(self) -> bool:
        """Whether there is anything to find out: a cloud that has the context need not guess."""
        return self.reader != "cloud"


ARMS: Sequence[Arm] = (
    Arm("llm-without", "LLM without the context", "nobody"),
    Arm("llm-with", "LLM with the context uploaded", "cloud"),
    Arm("gain-0.476", "CoSteer, gain 0.476", strength=0.476),
    Arm("gain-1", "CoSteer, gain 1", strength=1.0),
    Arm("auto", "CoSteer, auto"),
    Arm("auto-stand-in", "auto, guard stand-in", guard="stand-in"),
    Arm("auto-sampled", "auto, temperature 1", temperature=1.0),
    Arm("epsilon-1", "auto, temperature 1, epsilon 1", epsilon=1.0, temperature=1.0),
    Arm("epsilon-4", "auto, temperature 1, epsilon 4", epsilon=4.0, temperature=1.0),
    Arm("epsilon-8", "auto, temperature 1, epsilon 8", epsilon=8.0, temperature=1.0),
)


def find_arms(names: Sequence[str]) -> list[Arm]:
    """The arms of these names, in the order of ``ARMS``; all of them for none.

    Raises:
        ParameterError: there is no such arm.
    """
    known = {arm.name for arm in ARMS}
    if unknown := [name for name in names if name not in known]:
        raise ParameterError(
            f"There is no arm {unknown[0][:40]!r}.", f"The arms are: {', '.join(sorted(known))}."
        )
    return [arm for arm in ARMS if not names or arm.name in names]
