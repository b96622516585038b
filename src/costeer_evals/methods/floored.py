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
from dataclasses import dataclass

import numpy as np

from costeer.decoding.steering import Array, delta
from costeer_evals.methods.base import Rows, Rule
from costeer_evals.methods.context import Reading
from costeer_evals.methods.text_cache import Cache


@dataclass(frozen=True)
class Floored(Reading):
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
    title = "Floor and cache"
    gain: float = 0.44
    floor: float = -11.0
    sure: float = 4.0
    sure_gain: float = 1.2
    copy: float = 0.08
    reach: float = 12.0

    def start(self, text: Sequence[int]) -> Rule:
        """See ``Reading``."""
        return _Text(self, text)


class _Text:
    """The rule in one text."""

    def __init__(self, method: Floored, text: Sequence[int]) -> None:
        self._method = method
        self._cache = Cache(text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        rows, p = self._method.checked(rows), self._method
        change = delta(rows["slm_with"], np.maximum(rows["slm_without"], np.float32(p.floor)))
        result: Array = np.maximum(change - np.float32(p.sure), np.float32(0))
        result *= np.float32(p.sure_gain - p.gain)
        change *= np.float32(p.gain)
        result += change
        result += rows["llm_without"]
        reach, copy = np.float32(p.reach), np.float32(p.copy)
        for i, row in enumerate(result):
            before = answer[: len(answer) - len(result) + 1 + i]
            row[self._cache.ids] += copy * np.maximum(self._cache.logprobs(before) + reach, 0)
        return result
