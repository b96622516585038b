"""What ``strength="auto"`` does, as a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from costeer.decoding.auto import Auto, AutoParams, private_part
from costeer.evals.methods.base import Array, Branch, Method, Rows, Rule, require_number
from costeer.evals.methods.floored import changed_from
from costeer.evals.prompts import TokenPrompts

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(Method):
    """See ``decoding.auto``, whose parameters these are."""

    name = "auto"
    gain: float = DEFAULT.gain
    up: float = DEFAULT.up
    down: float = DEFAULT.down

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            require_number(name, value)

    @property
    def needs(self) -> frozenset[Branch]:
        """Those of CoSteer."""
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        """With the parameters that are not the default's."""
        return "CoSteer auto" + changed_from(AutoCoSteer, self)

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text, with a look at the private one."""
        return _Text(self, private_part(prompts.public, prompts.private) if prompts else ())

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Method.scores``; as if there were no private text."""
        return self.begin().scores(rows)

    def combine(self, rows: Rows) -> Array:
        """As if there were no private text."""
        return self.begin().scores(rows)


class _Text:
    """The rule in one text."""

    def __init__(self, method: AutoCoSteer, text: Sequence[int]) -> None:
        self._method = method
        self._rule = Auto(AutoParams(**asdict(method)), text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        rows = self._method.checked(rows)
        bonus = self._rule.bonus(rows["slm_with"], rows["slm_without"])
        bonus += rows["llm_without"]
        return bonus
