"""Another method, with a public instruction in front of what the LLM reads.

The LLM without context does not know that a text is wanted which the person could use as it is: it
writes advice about the text, or leaves placeholders. To say so takes nothing private away. The
instruction is ``edge.prompts.GUIDE``, the same for everyone, and there only where the query asks
for a text; the small model's two prompts stay as they are.
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
        """Those of the inner method, its LLM guided."""
        return self.inner.needs - {"llm_without"} | {"llm_guided"}

    @property
    def label(self) -> str:
        """That of the inner method, and a word."""
        return f"{self.inner.label}, guided"

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the inner method, too."""
        return {"guide": self.guide, "inner": self.inner.name, **self.inner.parameters}

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text of the inner method."""
        return _Text(self.inner.begin(prompts))

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Method.scores``."""
        return self.inner.scores(_as_inner(self.checked(rows)), answer)

    def combine(self, rows: Rows) -> Array:
        """See ``Method``."""
        return self.inner.combine(_as_inner(rows))


class _Text:
    """The inner method in one text."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """See ``Rule``."""
        return self._rule.scores(_as_inner(rows), answer)


def _as_inner(rows: Rows) -> Rows:
    return {**rows, "llm_without": rows["llm_guided"]}
