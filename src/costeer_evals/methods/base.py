"""What a method is: the branches it needs, and scores from their rows.

Scores are what greedy decoding compares: log-probabilities plus any constant. Most rules are
``base + gain * delta`` and use ``decoding.steering``.

A text begins with ``begin()``: a rule may remember what it saw (AdaCoSteer does) or read the
private text itself (auto does). The rows of one text go in order, all at once or one by one.
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from costeer.decoding.steering import Array, log_softmax
from costeer.exceptions import ParameterError
from costeer_evals.prompts import TokenPrompts

Branch: TypeAlias = Literal[
    "llm_without",
    "llm_guided",
    "llm_with",
    "slm_with",
    "slm_about",
    "slm_without",
    "tuned_slm",
    "untuned_slm",
]
Rows: TypeAlias = Mapping[Branch, Array]
"""(n, V) float32, natural log, normalised, for each branch; all after the same n prefixes."""

RULES = 1
"""Raise it when a rule changes: results kept under old keys then count for nothing."""


class Rule(Protocol):
    """A method in the middle of one text."""

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """(n, V) float32: for the next n rows of this text.

        Args:
            rows: of the branches.
            answer: the tokens before the last of these rows.
        """
        ...


@dataclass(frozen=True)
class Method(ABC):
    """A rule with its parameters, which are the fields. Equal parameters give an equal ``key()``.

    Attributes:
        name: of the rule, in the registry.
        needs: the branches whose rows it reads.
        label: for tables.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def needs(self) -> frozenset[Branch]:
        """See the class."""

    @property
    @abstractmethod
    def label(self) -> str:
        """See the class."""

    @abstractmethod
    def combine(self, rows: Rows) -> Array:
        """(n, V) scores from rows that were checked, without regard to what came before."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields; 1 and 1.0 are one parameter."""
        return {
            name: float(value) if isinstance(value, int) else value
            for name, value in asdict(self).items()
        }

    @property
    def violates_privacy(self) -> bool:
        """Whether the LLM would have to see the private context."""
        return "llm_with" in self.needs

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text; without prompts there is no private text to read."""
        return self

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """(n, V) float32: for the first n rows of a text; ``begin()`` to go on after them.

        Raises:
            ParameterError: a branch is missing, or shapes differ.
        """
        return self.combine(self.checked(rows))

    def logprobs(self, rows: Rows) -> Array:
        """``scores``, normalised: (n, V) float32, natural log."""
        return log_softmax(self.scores(rows))

    def key(self) -> str:
        """Name and a hash of the parameters, the same in every process and version of Python."""
        given = {"rules": RULES, "name": self.name, **self.parameters}
        content = json.dumps(given, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def checked(self, rows: Rows) -> Rows:
        """The rows, if they are what the rule needs."""
        missing = sorted(self.needs - rows.keys())
        if missing:
            raise ParameterError(f"{self.label} needs rows of: {', '.join(missing)}.")
        shapes = {rows[branch].shape for branch in self.needs}
        if len(shapes) > 1 or any(len(shape) != 2 for shape in shapes):
            raise ParameterError(
                f"{self.label} got rows of shapes {sorted(shapes)}, not one (n, V)."
            )
        return rows


def require_number(name: str, value: float, low: float = -math.inf, high: float = math.inf) -> None:
    """Refuse a parameter that is no number, or outside its range (ends included).

    Raises:
        ParameterError: it is.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value)):
        raise ParameterError(f"{name} must be a finite number.")
    if not low <= value <= high:
        raise ParameterError(f"{name} must be from {low:g} to {high:g}, not {value:g}.")


def require_count(name: str, value: float) -> None:
    """Refuse what is no whole number, 1 or more.

    Raises:
        ParameterError: it is not.
    """
    require_number(name, value)
    if value < 1 or not isinstance(value, int):
        raise ParameterError(f"{name} must be a whole number from 1, not {value}.")
