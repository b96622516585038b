"""One temperature per policy, fitted on other texts, and the share of the gap that a method closes.

Policies differ in their confidence, and a rule that only flattens a distribution can beat a better
one that does not. So likelihoods are compared after giving each policy, the baselines included, its
own temperature, fitted on other texts than those it is applied to (k-fold).

    gap closed = (NLL of LLM without - NLL of method) / (NLL of LLM without - NLL of LLM with)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.exceptions import NotFiniteError, ParameterError
from costeer_evals.metrics.likelihood import GRID, STEP, TextScores
from costeer_evals.statistics import RESAMPLES, Interval, group_ids, percentile, resampled_sums

Float64 = npt.NDArray[np.float64]
FOLDS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Likelihood:
    """A policy's likelihood of R texts.

    Attributes:
        nll: (R,) sum over a text's tokens, nats.
        tokens: (R,) how many.
        temperatures: of each fold; (1,) with 1 where nothing was fitted.
    """

    nll: Float64
    tokens: npt.NDArray[np.int64]
    temperatures: Float64

    @property
    def mean(self) -> float:
        """Nats per token, with every token counted alike."""
        return float(self.nll.sum() / self.tokens.sum())


def uncalibrated(texts: Sequence[TextScores]) -> Likelihood:
    """The likelihood of the policy as it is."""
    return Likelihood(
        nll=np.array([text.nll for text in texts]),
        tokens=np.array([len(text) for text in texts], dtype=np.int64),
        temperatures=np.ones(1),
    )


def calibrate(
    texts: Sequence[TextScores],
    groups: Sequence[str] | None = None,
    folds: int = FOLDS,
    seed: int = 0,
) -> Likelihood:
    """The likelihood at the temperatures that best fit the texts of the other folds.

    Args:
        texts: one policy's scores.
        groups: texts of one group are in one fold; None: each text is its own group.
        folds: how many folds.
        seed: for the division; use the same for all policies to compare.

    Raises:
        ParameterError: there are fewer groups than folds.
        NotFiniteError: the policy rules a token of a reference out.
    """
    fold = folds_of(len(texts), groups, folds, seed)
    nll, temperatures = np.empty(len(texts)), np.empty(folds)
    for k in range(folds):
        others = [text for text, own in zip(texts, fold, strict=True) if own != k]
        temperatures[k] = fit_temperature(others)
        for i in np.flatnonzero(fold == k).tolist():
            nll[i] = nll_at(texts[i], temperatures[k])
    tokens = np.array([len(text) for text in texts], dtype=np.int64)
    return Likelihood(nll=nll, tokens=tokens, temperatures=temperatures)


def fit_temperature(texts: Sequence[TextScores]) -> float:
    """The temperature that maximises the likelihood of all tokens, within the grid."""
    curves = np.stack([_curve(text) for text in texts])
    return 1 / _minimum(curves.sum(axis=0))


def nll_at(text: TextScores, temperature: float) -> float:
    """The negative log-likelihood of a text at one temperature, in nats.

    Raises:
        ParameterError: the temperature lies outside the grid.
    """
    inverse = 1 / temperature if temperature > 0 else float("inf")
    if not GRID[0] <= inverse <= GRID[-1]:
        raise ParameterError(
            f"The temperature must be from {1 / GRID[-1]:g} to {1 / GRID[0]:g}, not {temperature}."
        )
    return _value(_curve(text), inverse)


def folds_of(
    size: int, groups: Sequence[str] | None, folds: int, seed: int
) -> npt.NDArray[np.intp]:
    """(size,) the fold of each text; groups stay whole and are spread evenly."""
    ids, count = group_ids(size, groups)
    if not 2 <= folds <= count:
        raise ParameterError(
            f"{count} groups of texts cannot be divided into {folds} folds.",
            "Use from 2 folds up to as many as there are groups.",
        )
    fold_of_group = np.empty(count, dtype=np.intp)
    fold_of_group[np.random.default_rng(seed).permutation(count)] = np.arange(count) % folds
    result: npt.NDArray[np.intp] = fold_of_group[ids]
    return result


def gap_closed(
    llm_without: Likelihood,
    method: Likelihood,
    llm_with: Likelihood,
    groups: Sequence[str] | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Interval:
    """The share of the gap, with a paired bootstrap over texts (or groups of them).

    A resample in which the LLM gains nothing from the context has no gap; it counts as an
    infinite share of the method's sign, so such resamples widen the interval.

    Raises:
        ParameterError: the three are not of the same texts.
        NotFiniteError: a policy rules a token of a reference out, so its NLL is infinite.
    """
    if not len(llm_without.nll) == len(method.nll) == len(llm_with.nll):
        raise ParameterError("The three policies were not scored on the same texts.")
    columns = np.stack([llm_without.nll, method.nll, llm_with.nll], axis=1)  # (R, 3)
    if not np.isfinite(columns).all():
        raise NotFiniteError(_RULED_OUT, _RULED_OUT_HINT)
    shares = _share(resampled_sums(columns, groups, resamples, seed))
    return percentile(float(_share(columns.sum(axis=0)[None])[0]), shares)


def _share(sums: Float64) -> Float64:
    """(B, 3) sums of NLL to (B,) shares."""
    closed, gap = sums[:, 0] - sums[:, 1], sums[:, 0] - sums[:, 2]
    infinite = np.copysign(np.inf, closed)
    return np.where(gap > 0, closed / np.where(gap > 0, gap, 1.0), infinite)


_RULED_OUT = "A policy gives no probability at all to a token of a reference."
_RULED_OUT_HINT = "Its likelihood says nothing; compare it by the texts it writes."


def _curve(text: TextScores) -> Float64:
    """(2, G): the NLL of a text on the grid, and its slope in the inverse temperature."""
    if not np.isfinite(text.target):
        raise NotFiniteError(_RULED_OUT, _RULED_OUT_HINT)
    return np.stack([text.log_partition - GRID * text.target, text.mean_logprob - text.target])


def _value(curve: Float64, inverse: float) -> float:
    """Cubic Hermite interpolation of a (2, G) curve."""
    i = min(int((inverse - GRID[0]) / STEP), GRID.size - 2)
    return float(np.polyval(_cubic(curve, i), (inverse - GRID[i]) / STEP))


def _cubic(curve: Float64, i: int) -> Float64:
    """(4,) coefficients on interval i, highest power first, for x from 0 to 1."""
    (left, right), (slope_left, slope_right) = curve[:, i : i + 2]
    a, b = STEP * slope_left, STEP * slope_right
    rise = right - left
    return np.array([a + b - 2 * rise, 3 * rise - 2 * a - b, a, left])


def _minimum(curve: Float64) -> float:
    """The inverse temperature of the least NLL of a (2, G) convex curve.

    The slope rises, so the minimum lies where it changes sign, or at an end.
    """
    slope = curve[1]
    if slope[0] >= 0:
        return float(GRID[0])
    if slope[-1] <= 0:
        return float(GRID[-1])
    i = int(np.flatnonzero(slope > 0)[0]) - 1
    roots = np.roots(np.polyder(_cubic(curve, i)))
    inside = [float(x.real) for x in roots if abs(x.imag) < 1e-9 and -1e-9 <= x.real <= 1 + 1e-9]
    best = min(inside, key=lambda x: float(np.polyval(_cubic(curve, i), x)))
    return float(GRID[i] + STEP * min(max(best, 0.0), 1.0))
