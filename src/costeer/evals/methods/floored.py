"""A floor under the difference, more weight where it is large, and a cache of the private text.

    score = log pi_0 + push(d) + copy * max(log P_cache + reach, 0)
    d     = log P_SLM,with - max(log P_SLM,without, floor)
    push  = gain * d + (sure_gain - gain) * max(d - sure, 0)

The rule of the largest likelihood among those that leave log pi_0 alone, and no good at writing:
see docs/strength.md. What the small model finds next to impossible without the context is no
evidence when divided by (``floor``). A large difference counts for more (``sure``). And the private
text itself is asked what it would go on with (``evals.cache``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from costeer.decoding.auto import private_part
from costeer.decoding.steering import delta
from costeer.evals.cache import Cache
from costeer.evals.methods.base import Array, Branch, Method, Rows, Rule, require_number
from costeer.evals.prompts import TokenPrompts


@dataclass(frozen=True)
class Floored(Method):
    """See the module. Fitted by ``runs/strength_study.py`` on the tuning half of CoGenesis.

    Attributes:
        gain: of a difference up to ``sure``.
        floor: nats; a token's log-probability without the context counts as at least this.
        sure: nats; the difference from which it counts ``sure_gain`` times.
        sure_gain: of what lies beyond.
        copy: weight of the cache.
        reach: nats; the cache counts where its log-probability is above minus this.
    """

    name = "floored"
    gain: float = 0.44
    floor: float = -11.0
    sure: float = 4.0
    sure_gain: float = 1.2
    copy: float = 0.08
    reach: float = 12.0

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
        return "Floor and cache" + changed_from(Floored, self)

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text, with a look at the private one."""
        return _Text(self, private_part(prompts.public, prompts.private) if prompts else ())

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Method.scores``; without the cache."""
        return self.begin().scores(rows, answer)

    def combine(self, rows: Rows) -> Array:
        """Without the cache."""
        change = delta(rows["slm_with"], np.maximum(rows["slm_without"], np.float32(self.floor)))
        result: Array = np.maximum(change - np.float32(self.sure), np.float32(0))
        result *= np.float32(self.sure_gain - self.gain)
        change *= np.float32(self.gain)
        result += change
        result += rows["llm_without"]
        return result


class _Text:
    """The rule in one text."""

    def __init__(self, method: Floored, text: Sequence[int]) -> None:
        self._method = method
        self._cache = Cache(text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        result = self._method.combine(self._method.checked(rows))
        reach, copy = np.float32(self._method.reach), np.float32(self._method.copy)
        for i, row in enumerate(result):
            before = answer[: len(answer) - len(result) + 1 + i]
            row[self._cache.ids] += copy * np.maximum(self._cache.logprobs(before) + reach, 0)
        return result


def changed_from(default: type[Method], method: Method) -> str:
    """The parameters that are not the default's, in brackets, for a label."""
    standard = asdict(default())
    other = [f"{k} {v:g}" for k, v in asdict(method).items() if v != standard[k]]
    return f" ({', '.join(other)})" if other else ""
