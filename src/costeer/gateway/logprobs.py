"""A step's candidates as OpenAI's ``logprobs``, and as a trace for the owner.

The log-probabilities are those after steering, over the candidates that the LLM sent: the largest
value that the candidates which did not come allow, so they are at most a little too large.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from costeer.edge.answer import Result
from costeer.edge.detail import Candidate
from costeer.edge.verify import Step

FLOOR = -9999.0
"""Stands for -inf, which JSON cannot say."""

Spell = Callable[[int], tuple[str, bytes]]


def entry(step: Step, top: int, spell: Spell) -> dict[str, Any]:
    """One token of ``logprobs.content``."""
    assert step.detail is not None  # noqa: S101 - asked for together with the log-probabilities
    best = step.detail.steered[:top]
    return _spelled(step.detail.chosen, spell) | {
        "top_logprobs": [_spelled(one, spell) for one in best]
    }


def trace(step: Step, result: Result, spell: Spell) -> dict[str, Any]:
    """What happened at one token."""
    assert step.detail is not None  # noqa: S101 - asked for together with the trace
    return {
        "position": step.position,
        "strength": result.strength_at(step.position),
        "changed": step.changed,
        "proven": step.proven,
        "llm_token": spell(step.llm_token)[0],
        "chosen": _traced(step.detail.chosen, spell),
        "llm": [_traced(one, spell) for one in step.detail.llm],
        "steered": [_traced(one, spell) for one in step.detail.steered],
    }


def _spelled(one: Candidate, spell: Spell) -> dict[str, Any]:
    token, raw = spell(one.token)
    return {"token": token, "bytes": list(raw), "logprob": max(one.after, FLOOR)}


def _traced(one: Candidate, spell: Spell) -> dict[str, Any]:
    return {
        "token": spell(one.token)[0],
        "token_id": one.token,
        "before": max(one.before, FLOOR),
        "after_at_most": max(one.after, FLOOR),
        "after_at_least": max(one.at_least, FLOOR),
        "certain": one.certain,
    }
