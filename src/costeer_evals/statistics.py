"""Intervals and tests for scores of the same examples under several methods.

Wilson's interval of a share (1927), percentile bootstrap of paired differences (Efron and
Tibshirani 1993), sign-flip test (Fisher's randomisation test of paired samples), Holm's correction
(1979). Examples that belong together (one question under four preferences, one user) form a group,
and whole groups are resampled or flipped. Knows nothing of what the scores mean.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from costeer.exceptions import ParameterError

Float64 = npt.NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95
CHUNK = 1_000
"""Resamples drawn at once, so that memory does not grow with their number."""
TIE = 1e-12
"""Relative; sums that differ by less are equal up to the order of summation."""


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate and the ends of its interval."""

    estimate: float
    low: float
    high: float


def wilson(successes: int, count: int, level: float = LEVEL) -> Interval:
    """A share and its score interval (Wilson 1927), which also holds for few examples.

    Raises:
        ParameterError: no examples, or more successes than examples.
    """
    if not 0 <= successes <= count or count == 0:
        raise ParameterError(f"There cannot be {successes} successes in {count} examples.")
    share, z = successes / count, NormalDist().inv_cdf((1 + level) / 2)
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    spread = share * (1 - share) / count + z * z / (4 * count * count)
    half = z * math.sqrt(spread) / (1 + z * z / count)
    return Interval(share, max(middle - half, 0.0), min(middle + half, 1.0))


def paired_bootstrap(
    differences: npt.ArrayLike,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Interval:
    """The mean difference over examples and its interval.

    Args:
        differences: (n,) score of one method minus score of the other, example by example.
        groups: (n,) what to resample together; None: each example alone.
        resamples: how many.
        level: the interval's level.
        seed: the same seed gives the same interval.
    """
    values = _check(differences)
    columns = np.stack([values, np.ones_like(values)], axis=1)
    sums = resampled_sums(columns, groups, resamples, seed)
    return percentile(float(values.mean()), sums[:, 0] / sums[:, 1], level)


def resampled_sums(
    columns: Float64, groups: Sequence[str] | None, resamples: int, seed: int
) -> Float64:
    """Column sums of resamples with replacement.

    Args:
        columns: (n, K) quantities of each example; any ratio of their sums can be bootstrapped.
        groups: (n,) what to resample together; None: each example alone.
        resamples: B.
        seed: for the draw.

    Returns:
        (B, K).
    """
    ids, count = group_ids(len(columns), groups)
    totals = np.zeros((count, columns.shape[1]))
    np.add.at(totals, ids, columns)
    rng = np.random.default_rng(seed)
    even = np.full(count, 1 / count)
    chunks = []
    for start in range(0, resamples, CHUNK):
        times_drawn = rng.multinomial(count, even, size=min(CHUNK, resamples - start))
        chunks.append(times_drawn @ totals)
    return np.concatenate(chunks)


def percentile(estimate: float, resampled: Float64, level: float = LEVEL) -> Interval:
    """The interval that holds the middle ``level`` of the (B,) resampled estimates."""
    if not 0 < level < 1:
        raise ParameterError(f"The level must lie between 0 and 1, not {level}.")
    # Ends are resampled values themselves, so that infinite ones need no arithmetic.
    ends = ((1 - level) / 2, (1 + level) / 2)
    low, high = np.quantile(resampled, ends, method="inverted_cdf")
    return Interval(estimate, float(low), float(high))


def sign_flip_test(
    differences: npt.ArrayLike,
    groups: Sequence[str] | None = None,
    flips: int = RESAMPLES,
    seed: int = 0,
) -> float:
    """The two-sided p-value of "neither method is better": how often random signs do as well.

    Exact where all assignments of signs are no more than ``flips``; otherwise from that many
    random ones, the observed one counted in, so that p is never 0.

    Args:
        differences: (n,) as for ``paired_bootstrap``.
        groups: (n,) examples of one group flip together; None: each example alone.
        flips: how many assignments.
        seed: for the draw.
    """
    values = _check(differences)
    ids, count = group_ids(len(values), groups)
    totals = np.bincount(ids, weights=values, minlength=count)
    bar = abs(totals.sum()) - TIE * np.abs(totals).sum()
    if 2**count <= flips:
        bits = (np.arange(2**count)[:, None] >> np.arange(count)) & 1
        return float((np.abs((1 - 2 * bits) @ totals) >= bar).mean())
    rng, reached = np.random.default_rng(seed), 0
    for start in range(0, flips, CHUNK):
        signs = rng.integers(0, 2, size=(min(CHUNK, flips - start), count), dtype=np.int8)
        reached += int((np.abs((1 - 2 * signs) @ totals) >= bar).sum())
    return (reached + 1) / (flips + 1)


def holm(p_values: npt.ArrayLike) -> Float64:
    """(m,) p-values adjusted for being m, by Holm's step-down; compare with the level directly."""
    values = np.asarray(p_values, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ParameterError("p-values are a list of numbers from 0 to 1.")
    order = np.argsort(values, kind="stable")
    remaining = np.arange(values.size, 0, -1)
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(np.maximum.accumulate(values[order] * remaining), 1.0)
    return adjusted


def group_ids(size: int, groups: Sequence[str] | None) -> tuple[npt.NDArray[np.intp], int]:
    """(size,) the number of each example's group, and how many groups there are.

    Raises:
        ParameterError: no examples, or not one group for each.
    """
    if size == 0:
        raise ParameterError("There are no examples to compare.")
    if groups is None:
        return np.arange(size), size
    if len(groups) != size:
        raise ParameterError(f"There are {size} examples and {len(groups)} groups for them.")
    names, ids = np.unique(np.asarray(groups), return_inverse=True)
    return ids.reshape(-1), len(names)


def _check(differences: npt.ArrayLike) -> Float64:
    values = np.asarray(differences, dtype=np.float64)
    if values.ndim != 1 or not np.isfinite(values).all():
        raise ParameterError("Differences are a list of finite numbers, one per example.")
    return values
