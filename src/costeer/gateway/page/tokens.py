"""What the page shows of a token, and the form in which that is kept.

Probabilities are of temperature 1. Before steering they are exact; after it they are the largest
that the candidates which did not come allow, and marked where they may be smaller. The shift is the
opposite: at least so far was the token moved.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from costeer.edge.answer import Chunk, Result
from costeer.edge.detail import Candidate
from costeer.gateway.logprobs import Spell
from costeer.models.text import TextStream

CANDIDATES = 10
"""Of each list."""

TOLERANCE = 0.005
"""Up to this difference, a largest possible probability counts as the probability."""

Token = dict[str, Any]
"""As in an event: ``i``, ``id``, ``text``, ``shift``, ``changed``, ``own``, ``before``, ``after``,
``strength``, ``end``."""

_ROW = ("id", "text", "shift", "changed", "own", "before", "after", "strength", "end")


def describe(chunk: Chunk, result: Result, spell: Spell) -> Token:
    """One token of an answer."""
    step, detail = chunk.step, chunk.step.detail
    assert detail is not None  # noqa: S101 - the page always asks for it
    strength = result.strength_at(step.position)
    return {
        "i": step.position,
        "id": step.token,
        "text": chunk.text,
        "shift": None if strength in ("off", 0) else shift(detail.chosen),
        "changed": step.changed,
        "own": {"id": step.llm_token, "text": spell(step.llm_token)[0]},
        "before": [_before(one, spell) for one in detail.llm],
        "after": [_after(one, spell) for one in detail.steered],
        "strength": strength,
        "end": chunk.end,
    }


def shift(chosen: Candidate) -> float | None:
    """The log2 of the probability after over before: the smallest move that is possible."""
    low, high = chosen.at_least - chosen.before, chosen.after - chosen.before
    moved = low if low > 0 else high if high < 0 else 0.0
    return round(moved / math.log(2), 3) if math.isfinite(moved) else None


def replaced(token: Token, chosen: int) -> Token | None:
    """The token with another one in its place; None if that is no candidate."""
    named = {one[0]: one for one in (*token["after"], *token["before"])}
    named.setdefault(token["own"]["id"], [token["own"]["id"], token["own"]["text"], 0.0])
    if chosen not in named:
        return None
    changed = chosen != token["own"]["id"]
    return token | {"id": chosen, "text": "", "shift": None, "changed": changed, "end": False}


def with_texts(tokens: Iterable[Token], spell: Spell) -> list[Token]:
    """The tokens of the beginning of an answer, each with the text that it adds."""
    stream = TextStream()
    return [token | {"text": stream.feed(spell(token["id"])[1])} for token in tokens]


def pack(tokens: Iterable[Token]) -> list[list[Any]]:
    """Without the names."""
    return [[token[name] for name in _ROW] for token in tokens]


def unpack(rows: Sequence[Sequence[Any]]) -> list[Token]:
    """What was packed."""
    return [
        {"i": position, **dict(zip(_ROW, row, strict=True))} for position, row in enumerate(rows)
    ]


def _before(one: Candidate, spell: Spell) -> list[Any]:
    return [one.token, spell(one.token)[0], _rounded(one.before)]


def _after(one: Candidate, spell: Spell) -> list[Any]:
    row = [one.token, spell(one.token)[0], _rounded(one.after)]
    is_bound = math.exp(one.after) - math.exp(one.at_least) > TOLERANCE
    return [*row, True] if is_bound else row


def _rounded(logprob: float) -> float:
    return float(f"{math.exp(logprob):.4g}")
