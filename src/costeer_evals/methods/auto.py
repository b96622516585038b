"""What ``strength="auto"`` does, as a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from costeer.decoding.auto import Auto, AutoParams, private_part
from costeer.decoding.steering import Array
from costeer_evals.methods.base import Branch, Rows, Rule, require_count
from costeer_evals.methods.context import Reading
from costeer_evals.prompts import TokenPrompts

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(Reading):
    """See ``decoding.auto``, whose parameters these are."""

    name = "auto"
    title = "CoSteer auto"
    gain: float = DEFAULT.gain
    knee: float = DEFAULT.knee
    calm: float = DEFAULT.calm
    cap: float = DEFAULT.cap
    span: float = DEFAULT.span
    run: int = DEFAULT.run

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("run", self.run)

    @property
    def needs(self) -> frozenset[Branch]:
        """Those of CoSteer, with the product's own private prompt."""
        return frozenset({"llm_without", "slm_about", "slm_without"})

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text, with a look at the private one."""
        return self.start(private_part(prompts.public, prompts.about) if prompts else ())

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
        bonus = self._rule.bonus(rows["slm_about"], rows["slm_without"], answer)
        bonus += rows["llm_without"]
        return bonus
