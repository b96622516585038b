"""The rule behind ``strength="auto"``, as a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from costeer.decoding.auto import Auto, AutoParams, private_part
from costeer.decoding.steering import Array
from costeer_evals.methods.base import Branch, Rows, Rule, require_count
from costeer_evals.methods.context import ContextMethod
from costeer_evals.prompts import TokenPrompts

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(ContextMethod):
    """``decoding.auto`` on the product's own private prompt; the parameters are its."""

    name = "auto"
    title = "CoSteer auto"
    gain: float = DEFAULT.gain
    knee: float = DEFAULT.knee
    calm: float = DEFAULT.calm
    cap: float = DEFAULT.cap
    span: float = DEFAULT.span
    fade: float = DEFAULT.fade
    run: int = DEFAULT.run

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("run", self.run)

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "slm_about", "slm_without"})

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        return self.start_rule(private_part(prompts.public, prompts.about) if prompts else ())

    def start_rule(self, text: Sequence[int]) -> Rule:
        return _AutoRule(self, text)


class _AutoRule:
    """The rule in the middle of one text."""

    def __init__(self, method: AutoCoSteer, text: Sequence[int]) -> None:
        self._method = method
        self._rule = Auto(AutoParams(**asdict(method)), text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        rows = self._method.check_rows(rows)
        bonus = self._rule.bonus(rows["slm_about"], rows["slm_without"], answer)
        bonus += rows["llm_without"]
        return bonus
