"""What a method is: the branches it needs, and scores from their rows.

Scores are what greedy decoding compares: log-probabilities plus any constant. Most rules are
``base + gain * delta`` and use ``decoding.steering``.

A text begins with ``begin()``: a rule may have state (AdaCoSteer does) or read the private text
itself (auto does). The rows of one text are passed in order, all at once or one by one.
"""

from __future__ import annotations

import hashlib
import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from costeer.decoding.steering import Array
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
"""By branch: (n, V) float32, natural log, normalised; all branches after the same n prefixes."""

RULES = 1
"""Increment it when a rule changes, so that results under old keys are not reused."""


class Rule(Protocol):
    """A method in the middle of one text."""

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """(n, V) float32 scores for the next n rows of this text.

        Args:
            rows: the rows of each branch.
            answer: the answer's tokens up to the last of these rows.
        """
        ...


@dataclass(frozen=True)
class Method(ABC):
    """A rule; its fields are its parameters, and equal parameters give an equal ``key()``.

    Attributes:
        name: the rule's name in keys.
    """

    name: ClassVar[str]

    @property
    @abstractmethod
    def needs(self) -> frozenset[Branch]:
        """The branches whose rows the rule reads."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The method's name in tables."""

    @abstractmethod
    def combine(self, rows: Rows) -> Array:
        """(n, V) scores from checked rows, independent of earlier rows."""

    @property
    def parameters(self) -> dict[str, Any]:
        """The fields; 1 and 1.0 are the same parameter."""
        return {
            name: float(value) if isinstance(value, int) else value
            for name, value in asdict(self).items()
        }

    @property
    def violates_privacy(self) -> bool:
        """Whether the LLM would have to see the private context."""
        return "llm_with" in self.needs

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        """Start a text; without prompts, the private text counts as empty."""
        return self

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        """(n, V) float32 scores for the first n rows of a text; ``begin`` is for several calls.

        Raises:
            ParameterError: a branch is missing, or shapes differ.
        """
        return self.combine(self.check_rows(rows))

    def key(self) -> str:
        """The name and a hash of the parameters, stable across processes and Python versions."""
        given = {"rules": RULES, "name": self.name, **self.parameters}
        content = json.dumps(given, sort_keys=True)
        return f"{self.name}-{hashlib.sha256(content.encode()).hexdigest()[:12]}"

    def check_rows(self, rows: Rows) -> Rows:
        """Check that the rows are those that the rule needs, and return them."""
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
    """Check that a parameter is a finite number in its range, ends included.

    Raises:
        ParameterError: it is not.
    """
    if not (isinstance(value, (int, float)) and math.isfinite(value)):
        raise ParameterError(f"{name} must be a finite number.")
    if not low <= value <= high:
        raise ParameterError(f"{name} must be from {low:g} to {high:g}, not {value:g}.")


def require_count(name: str, value: float) -> None:
    """Check that a parameter is a whole number, 1 or more.

    Raises:
        ParameterError: it is not.
    """
    require_number(name, value)
    if value < 1 or not isinstance(value, int):
        raise ParameterError(f"{name} must be a whole number from 1, not {value}.")
