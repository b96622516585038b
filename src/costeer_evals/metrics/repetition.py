"""How much a text repeats itself, which is where too strong steering shows first.

distinct-n: Li et al. 2016 (arXiv 1510.03055). Repetition rate: seq-rep-n of Welleck et al. 2020
(arXiv 1908.04319), the share of n-grams that repeat an earlier one.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Repetition:
    """Shares from 0 to 1 for one text, and its length in words (or tokens)."""

    distinct_1: float
    distinct_2: float
    repeated_4: float
    length: int


def repetition(tokens: Sequence[Hashable]) -> Repetition:
    """Measure token ids, or the ``words`` of a text."""
    return Repetition(
        distinct_1=distinct(tokens, 1),
        distinct_2=distinct(tokens, 2),
        repeated_4=1 - distinct(tokens, 4),
        length=len(tokens),
    )


def distinct(tokens: Sequence[Hashable], n: int) -> float:
    """The share of different n-grams among all; 1 for a text without any."""
    grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
    return len(set(grams)) / len(grams) if grams else 1.0


def words(text: str) -> list[str]:
    """Lower-case words between white space."""
    return text.lower().split()
