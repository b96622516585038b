"""One model alone: the four baselines of arXiv 2507.04756, section 4.3."""

from __future__ import annotations

from dataclasses import dataclass

from costeer.decoding.steering import Array
from costeer_evals.methods.base import Branch, Method, Rows

LABELS: dict[Branch, str] = {
    "slm_without": "SLM w/o",
    "slm_with": "SLM w/",
    "llm_without": "LLM w/o",
    "llm_with": "LLM w/ (violates privacy)",
}


@dataclass(frozen=True)
class Plain(Method):
    """log pi = log P of one branch."""

    name = "plain"
    branch: Branch = "llm_without"

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({self.branch})

    @property
    def label(self) -> str:
        return LABELS.get(self.branch, self.branch)

    def combine(self, rows: Rows) -> Array:
        return rows[self.branch]
