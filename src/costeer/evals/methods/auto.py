"""What ``strength="auto"`` does, as a method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from costeer.decoding.auto import Auto, AutoParams
from costeer.decoding.cache import private_part
from costeer.evals.methods.base import Array, Branch, Method, Rows, Rule, require_number
from costeer.evals.prompts import TokenPrompts

DEFAULT = AutoParams()


@dataclass(frozen=True)
class AutoCoSteer(Method):
    """See ``decoding.auto``, whose parameters these are."""

    name = "auto"
    gain: float = DEFAULT.gain
    floor: float = DEFAULT.floor
    sure: float = DEFAULT.sure
    sure_gain: float = DEFAULT.sure_gain
    copy: float = DEFAULT.copy
    reach: float = DEFAULT.reach

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            require_number(name, value)

    @property
    def params(self) -> AutoParams:
        """For the rule."""
        return AutoParams(**asdict(self))

    @property
    def needs(self) -> frozenset[Branch]:
        """Those of CoSteer."""
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        """With the parameters that are not the default's."""
        default = asdict(DEFAULT)
        other = [f"{k} {v:g}" for k, v in asdict(self).items() if v != default[k]]
        return "CoSteer auto" + (f" ({', '.join(other)})" if other else "")

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text, with a look at the private one."""
        return _Text(self, private_part(prompts.public, prompts.private) if prompts else ())

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Method.scores``; without the cache."""
        return self.begin().scores(rows, answer)

    def combine(self, rows: Rows) -> Array:
        """Without the cache."""
        return self.begin().scores(rows)


class _Text:
    """The rule in one text."""

    def __init__(self, method: AutoCoSteer, text: Sequence[int]) -> None:
        self._method = method
        self._rule = Auto(method.params, text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        rows = self._method.checked(rows)
        bonus = self._rule.bonus(rows["slm_with"], rows["slm_without"], answer)
        bonus += rows["llm_without"]
        return bonus
