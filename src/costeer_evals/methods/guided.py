"""Any method, with a public instruction in front of what the LLM reads.

Without context the LLM does not know that it should produce ready-to-send text: it writes advice,
or leaves placeholders. Telling it reveals nothing private. The instruction is
``edge.prompts.GUIDE``, the same for everyone, and is there only if the query asks for a text; the
small model's two prompts stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from costeer.decoding.steering import Array
from costeer.edge.prompts import GUIDE
from costeer.exceptions import ParameterError
from costeer_evals.methods.base import Branch, Method, Rows, Rule
from costeer_evals.prompts import TokenPrompts


@dataclass(frozen=True)
class Guided(Method):
    """The inner method on ``llm_guided`` instead of ``llm_without``.

    Attributes:
        inner: any method that starts from the LLM without context.
        guide: the instruction; part of the key.
    """

    name = "guided"
    inner: Method
    guide: str = f"{GUIDE} (where a text is asked for)"

    def __post_init__(self) -> None:
        if "llm_without" not in self.inner.needs:
            raise ParameterError(
                f"{self.inner.label} does not start from the LLM without context.",
                "Guide llm-without, costeer or auto, say.",
            )

    @property
    def needs(self) -> frozenset[Branch]:
        return self.inner.needs - {"llm_without"} | {"llm_guided"}

    @property
    def label(self) -> str:
        return f"{self.inner.label}, guided"

    @property
    def parameters(self) -> dict[str, Any]:
        return {"guide": self.guide, "inner": self.inner.name, **self.inner.parameters}

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        return _GuidedRule(self.inner.begin(prompts))

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        return self.inner.scores(_as_inner(self.check_rows(rows)), answer)

    def combine(self, rows: Rows) -> Array:
        return self.inner.combine(_as_inner(rows))


class _GuidedRule:
    """The inner method in the middle of one text."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        return self._rule.scores(_as_inner(rows), answer)


def _as_inner(rows: Rows) -> Rows:
    return {**rows, "llm_without": rows["llm_guided"]}
