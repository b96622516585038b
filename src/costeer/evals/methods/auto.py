"""What ``strength="auto"`` does, as a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from costeer.decoding.auto import Auto, AutoParams
from costeer.evals.methods.base import Array, Rows, Rule, require_count
from costeer.evals.methods.reading import Reading

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(Reading):
    """See ``decoding.auto``, whose parameters these are."""

    name = "auto"
    title = "CoSteer auto"
    gain: float = DEFAULT.gain
    up: float = DEFAULT.up
    down: float = DEFAULT.down
    floor: float = DEFAULT.floor
    run: int = DEFAULT.run

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("run", self.run)

    def start(self, text: Sequence[int]) -> Rule:
        """See ``Reading``."""
        return _Text(self, text)


class _Text:
    """The rule in one text."""

    def __init__(self, method: AutoCoSteer, text: Sequence[int]) -> None:
        self._method = method
        self._rule = Auto(AutoParams(**asdict(method)), text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        rows = self._method.checked(rows)
        bonus = self._rule.bonus(rows["slm_with"], rows["slm_without"], answer)
        bonus += rows["llm_without"]
        return bonus
