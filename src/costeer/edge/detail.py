"""What happened at one token: the candidates before and after steering.

Made only where it is asked for. Log-probabilities are natural logs at temperature 1. Those of the
LLM are exact. Those after steering need the sum over all tokens, of which only some came from the
LLM: each is given as the largest and the smallest value that the missing ones allow. Derived from
the private context: whoever keeps it keeps something about the person.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.cloud.base import CloudStep
from costeer.decoding.steering import Array


@dataclass(frozen=True, slots=True)
class Candidate:
    """A token that the LLM sent.

    Attributes:
        token: its id.
        before: log-probability by the LLM.
        after: log-probability after steering, at most; exact where every token came.
        at_least: log-probability after steering, at least.
        certain: whether no token that did not come can stand above it after steering.
    """

    token: int
    before: float
    after: float
    at_least: float
    certain: bool


@dataclass(frozen=True, slots=True)
class Detail:
    """One decided token among its candidates.

    Attributes:
        chosen: the token that was decided.
        llm: the best by the LLM, best first.
        steered: the best after steering, best first, of those that came.
    """

    chosen: Candidate
    llm: tuple[Candidate, ...]
    steered: tuple[Candidate, ...]


def describe(step: CloudStep, delta: Array, gain: float, chosen: int, count: int) -> Detail:
    """Describe a decided token.

    Args:
        step: the LLM's log-probabilities, ``chosen`` among them.
        delta: (V,) natural log.
        gain: the factor of the delta.
        chosen: the decided token.
        count: candidates in each list.
    """
    real = step.top_ids < delta.size
    ids, base = step.top_ids[real], step.top_logprobs[real].astype(np.float64)
    bonus = gain * delta.astype(np.float64)
    scores = base + bonus[ids]
    low, high, ceiling = _normalisers(ids, base, bonus, scores)

    def candidate(i: int) -> Candidate:
        after, least = min(float(scores[i]) - low, 0.0), float(scores[i]) - high
        return Candidate(int(ids[i]), float(base[i]), after, least, bool(scores[i] > ceiling))

    by_llm = np.argsort(-base, kind="stable")[:count]
    by_score = np.argsort(-scores, kind="stable")[:count]
    return Detail(
        chosen=candidate(int(np.flatnonzero(ids == chosen)[0])),
        llm=tuple(candidate(i) for i in by_llm if np.isfinite(base[i])),
        steered=tuple(candidate(i) for i in by_score if np.isfinite(scores[i])),
    )


Floats = npt.NDArray[np.float64]


def _normalisers(
    ids: npt.NDArray[np.int32], base: Floats, bonus: Floats, scores: Floats
) -> tuple[float, float, float]:
    """The log of the sum over all tokens, at least and at most, and the best score outside."""
    low = _log_sum(scores)
    outside = bonus.copy()
    outside[ids] = -np.inf
    if ids.size == bonus.size:
        return low, low, -np.inf
    most = float(outside.max())
    left = max(1.0 - float(np.exp(base).sum()), 0.0) + 1e-6  # rounding of float32
    high = float(np.logaddexp(low, np.log(left) + most))
    return low, high, float(base.min()) + most


def _log_sum(values: Floats) -> float:
    peak = float(values.max())
    return peak + float(np.log(np.exp(values - peak).sum()))
