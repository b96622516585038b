"""Choose the token from the LLM's top k, with proof that the full vocabulary would agree.

For a token outside the top k, ``log pi_0 <= l_k``, the smallest log-probability received, and the
device knows the delta (and the noise) of every token. So no outside token scores above
``l_k + gain * delta``, and when the best inside beats the largest of these bounds, it is the
choice of the full vocabulary. Otherwise the caller asks for more.

Top-p also needs masses. The outside tokens have at most the mass that they would have if all of the
LLM's remaining probability were on those with the largest delta.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.sampling import SamplingParams, choose, nucleus_order, perturb, weights
from costeer.decoding.steering import Array
from costeer.exceptions import NotFiniteError

SLACK = 1e-6
"""Relative tolerance for the rounding of float32 log-probabilities in sums of masses."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A token, and whether it is proven to be the choice of the full vocabulary."""

    token: int
    proven: bool


def choose_certified(
    top_ids: npt.NDArray[np.int32],
    top_logprobs: Array,
    delta: Array,
    gain: float,
    sampling: SamplingParams,
    noise: Array | None = None,
) -> Choice:
    """Choose a token from the top k.

    Args:
        top_ids: (k,) distinct ids; ids of V and above are padding and ignored.
        top_logprobs: (k,) natural log; no other token has more than the smallest of them.
        delta: (V,) finite.
        gain: multiplier of the delta.
        sampling: how to choose.
        noise: (V,) from ``sampling.gumbel``; required unless greedy.

    Returns:
        The best token of the top k. If it is not proven, ask again with a larger k.

    Raises:
        NotFiniteError: the input has NaN, or no token to choose from.
    """
    if np.isnan(top_logprobs).any():
        raise NotFiniteError("The cloud sent NaN among its log-probabilities.", "Restart it.")
    bound = np.float32(top_logprobs.min()) if top_logprobs.size else np.float32(0)
    real = top_ids < delta.size
    ids, base = top_ids[real], top_logprobs[real]
    if ids.size == 0:
        raise NotFiniteError(
            "The cloud sent no log-probability of a real token.", "Ask it for more (--top-k)."
        )
    if ids.size == delta.size:
        return _choose_full(ids, base, delta, gain, sampling, noise)
    bonus = np.float32(gain) * delta
    inside = base + bonus[ids]
    ceiling = _ceiling(ids, bound, bonus, sampling, noise)
    if sampling.greedy or noise is None:
        contenders = inside
    else:
        contenders = perturb(inside, sampling.temperature, noise[ids])
    if not sampling.nucleus:
        best = _first_best(contenders, ids)
        return Choice(int(ids[best]), bool(contenders[best] > ceiling))
    return _choose_nucleus(ids, base, inside, contenders, bonus, bound, sampling)


def _choose_full(
    ids: npt.NDArray[np.int32],
    base: Array,
    delta: Array,
    gain: float,
    sampling: SamplingParams,
    noise: Array | None,
) -> Choice:
    scores = np.empty_like(delta)
    scores[ids] = base
    scores += np.float32(gain) * delta
    return Choice(choose(scores, sampling, noise), proven=True)


def _ceiling(
    ids: npt.NDArray[np.int32],
    bound: np.float32,
    bonus: Array,
    sampling: SamplingParams,
    noise: Array | None,
) -> np.float32:
    """Return an upper bound of the scores outside the top k. This O(V) is what the proof costs."""
    if sampling.greedy or noise is None:
        outside = bonus.copy()
        outside[ids] = -np.inf
        ceiling = bound + outside.max()
    else:
        outside = perturb(bound + bonus, sampling.temperature, noise)
        outside[ids] = -np.inf
        ceiling = outside.max()
    if np.isnan(ceiling):
        raise NotFiniteError("The small model's delta holds NaN.", "Check its model file.")
    return np.float32(ceiling)


def _first_best(contenders: Array, ids: npt.NDArray[np.int32]) -> int:
    """Return the index of the largest; ties go to the lowest id, as with argmax over V."""
    tied = np.flatnonzero(contenders == contenders.max())
    return int(tied[np.argmin(ids[tied])])


def _choose_nucleus(
    ids: npt.NDArray[np.int32],
    base: Array,
    inside: Array,
    contenders: Array,
    bonus: Array,
    bound: np.float32,
    sampling: SamplingParams,
) -> Choice:
    """Choose under top-p; proven if the nucleus is certain and wholly inside the top k."""
    by_id = np.argsort(ids)
    order = by_id[nucleus_order(inside[by_id], sampling.temperature)]
    outside = bonus.copy()
    outside[ids] = -np.inf
    peak = float(inside.max())
    mass = np.cumsum(weights(inside[order], sampling.temperature, peak))
    unseen = _outside_mass(base, outside, bound, sampling.temperature, peak)
    least = int(np.searchsorted(mass, sampling.top_p * mass[-1] * (1 - SLACK))) + 1
    most = int(np.searchsorted(mass, sampling.top_p * (mass[-1] + unseen) * (1 + SLACK))) + 1
    kept = order[: min(least, ids.size)]
    best = kept[_first_best(contenders[kept], ids[kept])]
    scale = np.float32(sampling.temperature)  # scores may become equal by this division
    ranked = bool(inside[kept].min() / scale > (bound + outside.max()) / scale)
    return Choice(int(ids[best]), proven=least == most <= ids.size and ranked)


def _outside_mass(
    base: Array, outside_bonus: Array, bound: np.float32, temperature: float, peak: float
) -> float:
    """Return an upper bound of the sum of exp((score - peak) / temperature) outside the top k.

    No outside token has a base above ``bound``, and together they have the remaining probability.
    Up to a temperature of 1 the sum is largest when that probability fills the tokens with the
    largest bonus one after another; above 1 every token counts with its bound.
    """
    allowance = float(np.exp(np.float64(bound)))
    if allowance == 0:
        return 0.0
    remaining = max(1.0 - float(np.exp(base.astype(np.float64)).sum()), 0.0) + SLACK
    candidates = outside_bonus[np.isfinite(outside_bonus)]
    if temperature <= 1:
        filled = int(min(remaining / allowance + 1, candidates.size))
        candidates = np.partition(candidates, candidates.size - filled)[-filled:]
    return float(weights(candidates + bound, temperature, peak).sum())
