"""A floor under the delta, more weight where it is large, and a cache of the private text.

    score = log pi_0 + push(d) + copy * max(log P_cache + reach, 0)
    d     = log P_SLM,with - max(log P_SLM,without, floor)
    push  = gain * d + (sure_gain - gain) * max(d - sure, 0)

Of the rules that add to log pi_0, the one with the largest likelihood, but it writes no better than
no steering (docs/likelihood.md). Ratios against near-zero probabilities are mostly noise, hence the
floor. A large delta counts for more (``sure``). The cache (``text_cache``) says how the private
text would continue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costeer.decoding.steering import Array, delta
from costeer_evals.methods.base import Rows, Rule
from costeer_evals.methods.context import ContextMethod
from costeer_evals.methods.text_cache import TextCache


@dataclass(frozen=True)
class Floored(ContextMethod):
    """The rule above; ``runs/strength_study.py`` fits its numbers on the tuning half of CoGenesis.

    Attributes:
        gain: multiplies the delta up to ``sure``.
        floor: in nats; the log-probability without the context counts as at least this.
        sure: in nats; the delta beyond it is multiplied by ``sure_gain``.
        sure_gain: see ``sure``.
        copy: the weight of the cache.
        reach: in nats; the cache counts where its log-probability is above minus this.
    """

    name = "floored"
    title = "Floor and cache"
    gain: float = 0.44
    floor: float = -11.0
    sure: float = 4.0
    sure_gain: float = 1.2
    copy: float = 0.08
    reach: float = 12.0

    def start_rule(self, text: Sequence[int]) -> Rule:
        return _FlooredRule(self, text)


class _FlooredRule:
    """The rule in the middle of one text."""

    def __init__(self, method: Floored, text: Sequence[int]) -> None:
        self._method = method
        self._cache = TextCache(text)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        rows, p = self._method.check_rows(rows), self._method
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
