"""Any steered method under the cap of ``--epsilon``, to see what the cap costs in likelihood.

The answer that spends is the reference itself. As in the product the device chooses among the first
``top`` tokens of the LLM. The product rules every other one out; here it keeps the LLM's own
probability, so that no reference is impossible.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costeer.decoding.cap import STEP, box
from costeer.decoding.steering import Array
from costeer.exceptions import ParameterError
from costeer_evals.methods.base import Branch, Method, Rows, Rule, require_count, require_number
from costeer_evals.prompts import TokenPrompts


@dataclass(frozen=True)
class Capped(Method):
    """The inner method, sampled at temperature 1 under ``decoding.cap``.

    Attributes:
        inner: a method that adds something to one row of the LLM.
        epsilon: the cap on |L|; nats.
        top: how many tokens the device chooses among.
    """

    name = "capped"
    inner: Method
    epsilon: float = 8.0
    top: int = 64

    def __post_init__(self) -> None:
        require_number("epsilon", self.epsilon, 0)
        require_count("top", self.top)
        if len(self._bases) != 1:
            raise ParameterError(
                f"{self.inner.label} does not start from the LLM without context.",
                "Cap costeer or auto, say.",
            )

    @property
    def _bases(self) -> frozenset[Branch]:
        return self.inner.needs & {"llm_without", "llm_guided"}

    @property
    def base(self) -> Branch:
        """The branch that is drawn from without the context."""
        return next(iter(self._bases))

    @property
    def needs(self) -> frozenset[Branch]:
        return self.inner.needs

    @property
    def label(self) -> str:
        among = "" if self.top == 64 else f" among {self.top:,}"
        return f"{self.inner.label}, epsilon {self.epsilon:g}{among}"

    @property
    def parameters(self) -> dict[str, Any]:
        return {
            "epsilon": float(self.epsilon),
            "step": STEP,
            "top": float(self.top),
            "inner": self.inner.name,
            **self.inner.parameters,
        }

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        return _CappedRule(self, self.inner.begin(prompts))

    def combine(self, rows: Rows) -> Array:
        base = rows[self.base]
        bonus = self.inner.combine(rows) - base
        return np.stack(
            [row + self.log_ratios(row, more, 0.0) for row, more in zip(base, bonus, strict=True)]
        )

    def log_ratios(self, row: Array, bonus: Array, told: float) -> Array:
        """Return (V,) how much likelier the context makes each token; natural log.

        Args:
            row: (V,) natural log: the LLM.
            bonus: (V,) what the inner method adds.
            told: what the tokens before have told; nats.
        """
        ratios = np.zeros_like(row)
        up, down = min(STEP, self.epsilon - told), min(STEP, self.epsilon + told)
        if min(up, down) > 0:
            top = np.argpartition(-row, min(self.top, row.size) - 1)[: self.top]
            share = np.exp(row[top].astype(np.float64))
            ratios[top] = np.log(box(share / share.sum(), bonus[top].astype(np.float64), up, down))
        return ratios


class _CappedRule:
    """The cap in the middle of one text, whose tokens have spent ``_told`` nats so far."""

    def __init__(self, method: Capped, rule: Rule) -> None:
        self._method, self._rule = method, rule
        self._told = 0.0
        self._last: Array | None = None  # (V,) what each token of the row before would have spent

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        rows = self._method.check_rows(rows)
        base = rows[self._method.base]
        bonus = self._rule.scores(rows, answer) - base
        first = len(answer) + 1 - len(base)
        ratios = [self._next(base[i], bonus[i], answer[: first + i]) for i in range(len(base))]
        result: Array = base + np.stack(ratios)
        return result

    def _next(self, row: Array, bonus: Array, before: Sequence[int]) -> Array:
        """(V,) the log ratios after the tokens ``before``, the last of which has now been told."""
        if self._last is not None:
            self._told += float(self._last[before[-1]])
        self._last = self._method.log_ratios(row, bonus, self._told)
        return self._last
