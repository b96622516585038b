"""A cap on the likelihood ratio: pure differential privacy for an answer of any length.

For every answer x, the device knows both how likely it is with the context and how likely it would
be without, because without the context each token is drawn from the large model's own row. It keeps

    L = log P(x so far | context) - log P(x so far | no context)

and draws each token from the steered distribution, projected onto a box that keeps |L| <= epsilon:

    P = p * clip(exp(u - lam), exp(-down), exp(up)),   lam such that P sums to 1
    up = min(step, epsilon - L),   down = min(step, epsilon + L)

Both laws are products over the same conditionals of the cloud, which cancel; so the ratio of whole
transcripts is exp(L), and pure epsilon-DP (delta = 0) of with-against-without holds for any cloud,
any length and any scores u. There is no composition, hence no cost a token. When L reaches a
bound, P = p: the answer goes on, unsteered.

Everything that is drawn from is made of whole numbers, so that the ratio is what it is said to be
and not what floating point makes of it. Related: arXiv 2602.07120 (a budget for a whole sequence),
2410.03026 (the same ratio as a measure of influence).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.exceptions import NotFiniteError, ParameterError

Array = npt.NDArray[np.float32]
Weights = npt.NDArray[np.int64]
Pick = Callable[[Sequence[int]], int]
"""Draws an index with probability proportional to whole-number weights."""

STEP = 2.0
"""Nats that one token may add to |L| at most."""

SCALE = 2.0**58
"""What probability 1 is as a whole number; sums of rows stay within 64 bits."""

RAREST = 1e-7
"""Candidates have at least this share of the large model's row, so that rounding to whole numbers
changes no ratio by more than MARGIN."""

MARGIN = 1e-9
"""Nats kept from every bound, for rounding."""


@dataclass(frozen=True, slots=True)
class Law:
    """What a token is drawn from, with and without the context.

    Attributes:
        ids: (n,) the candidates.
        steered: (n,) whole numbers, proportional to the probabilities with the context.
        plain: (n,) the same without.
    """

    ids: npt.NDArray[np.int32]
    steered: Weights
    plain: Weights

    def log_ratio(self, index: int) -> float:
        """log of how much likelier the context makes candidate ``index``; nats."""
        with_context = int(self.steered[index]) * int(self.plain.sum())
        without = int(self.plain[index]) * int(self.steered.sum())
        return math.log(with_context / without)  # whole numbers: one rounding


def law(
    top_ids: npt.NDArray[np.int32],
    top_logprobs: Array,
    bonus: Array,
    up: float,
    down: float,
    temperature: float,
    top_p: float = 1.0,
) -> Law:
    """The two laws for the next token.

    Which tokens are candidates depends on the row alone, never on the bonus.

    Args:
        top_ids: (k,) ids as received.
        top_logprobs: (k,) natural log, as received.
        bonus: (V,) natural log, private; what is not finite counts as 0.
        up: nats by which the log ratio may grow, 0 or more.
        down: nats by which it may fall, 0 or more.
        temperature: above 0; divides log-probabilities and bonus.
        top_p: only the likeliest candidates whose mass reaches this, by the row.

    Raises:
        ParameterError: a temperature of 0: the likeliest token would be certain without the
            context, and any other would prove one.
        NotFiniteError: no usable row.
    """
    if not temperature > 0:
        raise ParameterError(
            "A cap on the evidence needs sampling.", "Give a temperature, such as 1."
        )
    ids, share = _candidates(top_ids, top_logprobs, bonus.size, temperature, top_p)
    private = np.nan_to_num(bonus[ids].astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    plain = _whole(share)
    # One side closed closes the other, because both laws sum to 1. Without a difference the law is
    # the plain one to the last digit, because that is what the ratio is taken to.
    if up <= MARGIN or down <= MARGIN or np.ptp(private) == 0:
        return Law(ids, plain, plain)
    ratio = box(share, private / temperature, up - MARGIN, down - MARGIN)
    return Law(ids, _whole(share * ratio), plain)


def _candidates(
    top_ids: npt.NDArray[np.int32],
    top_logprobs: Array,
    vocab_size: int,
    temperature: float,
    top_p: float,
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Ids, and their shares of the row, from the likeliest down. Public."""
    _, first = np.unique(top_ids, return_index=True)
    known = first[(top_ids[first] >= 0) & (top_ids[first] < vocab_size)]
    logs = top_logprobs[known].astype(np.float64)
    if not logs.size or np.isnan(logs).any() or not np.isfinite(logs.max()):
        raise NotFiniteError("The cloud sent a row that nothing can be drawn from.", "Restart it.")
    share = np.exp((logs - logs.max()) / temperature)
    share /= share.sum()
    order = np.argsort(-share, kind="stable")
    order = order[share[order] >= RAREST]
    if top_p < 1:
        reached = int(np.searchsorted(np.cumsum(share[order]), top_p)) + 1
        order = order[:reached]
    return top_ids[known][order], share[order] / share[order].sum()


def box(
    share: npt.NDArray[np.float64], scores: npt.NDArray[np.float64], up: float, down: float
) -> npt.NDArray[np.float64]:
    """Return P/p: exp(scores - lam), clipped, with lam such that P sums to 1 (by bisection).

    Args:
        share: (n,) p, linear; sums to 1.
        scores: (n,) natural log, finite: how much the steered policy prefers each.
        up: nats by which a candidate may become likelier at most, above 0.
        down: nats by which it may become less likely, above 0.
    """
    low, high = float(scores.min()) - up, float(scores.max()) + down
    for _ in range(100):
        lam = (low + high) / 2
        total = float((share * np.exp(np.clip(scores - lam, -down, up))).sum())
        low, high = (lam, high) if total > 1 else (low, lam)
    ratio: npt.NDArray[np.float64] = np.exp(np.clip(scores - (low + high) / 2, -down, up))
    return ratio


def _whole(probabilities: npt.NDArray[np.float64]) -> Weights:
    """Whole numbers in proportion, each at least 1."""
    scaled: Weights = np.maximum(np.rint(probabilities * SCALE), 1).astype(np.int64)
    return scaled
