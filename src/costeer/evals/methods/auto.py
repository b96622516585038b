"""What ``strength="auto"`` does, as a method."""

from __future__ import annotations

from dataclasses import dataclass

from costeer.decoding.auto import AutoParams, bonus
from costeer.evals.methods.base import Array, Branch, Method, Rows, require_number

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(Method):
    """See ``decoding.auto``, whose parameters these are."""

    name = "auto"
    up: float = DEFAULT.up
    down: float = DEFAULT.down

    def __post_init__(self) -> None:
        require_number("up", self.up)
        require_number("down", self.down)

    @property
    def needs(self) -> frozenset[Branch]:
        """Those of CoSteer."""
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        """With the gains that are not the default's."""
        own = (self.up, self.down) != (DEFAULT.up, DEFAULT.down)
        return "CoSteer auto" + (f" (up {self.up:g}, down {self.down:g})" if own else "")

    def combine(self, rows: Rows) -> Array:
        """See the class."""
        result = bonus(rows["slm_with"], rows["slm_without"], AutoParams(self.up, self.down))
        result += rows["llm_without"]
        return result
