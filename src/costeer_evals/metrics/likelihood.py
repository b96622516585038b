"""A summary of a policy's log-probabilities on a reference, from which calibration can work.

The likelihood of a token at temperature t is ``target/t - log sum exp(logprobs/t)``. With s = 1/t,
the second term, A(s), is smooth and convex, and its slope is the mean log-probability under the
tempered policy. So A and its slope on a few values of s give the likelihood at every temperature
between them by cubic Hermite interpolation: for any one token within 1e-3 nats at temperatures up
to 1.6, and within 1e-2 up to 4, for the most spread-out rows (the tests compare with the exact
value; most policies want 1.0 to 1.4). That is ``2 * len(GRID) + 3`` numbers per token instead of V.

The grid is evenly spaced in s because then ``exp(s * logprobs)`` for all of it is one ``exp`` and a
multiplication for each point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import LOG_FLOOR, Array
from costeer.exceptions import ParameterError

Float64 = npt.NDArray[np.float64]

STEP = 0.125
GRID: Float64 = np.arange(2, 17, dtype=np.float64) * STEP
"""Inverse temperatures, (G,), from 0.25 (temperature 4) to 2 (temperature 0.5)."""
ONE = int(np.flatnonzero(GRID == 1.0)[0])


@dataclass(frozen=True, slots=True, eq=False)
class TokenScores:
    """One policy on the n tokens of one reference; natural logarithms, float32.

    Attributes:
        target: (n,) log-probability of the reference's token; -inf if the policy rules it out.
        log_partition: (n, G) log sum exp(s * logprobs) for s in ``GRID``.
        mean_logprob: (n, G) its slope: the mean of logprobs under softmax(s * logprobs).
        hit: (n,) whether the likeliest token is the reference's.
        kl: (n,) divergence KL(policy || other) from another policy, nats; NaN where none was given.
    """

    target: Array
    log_partition: Array
    mean_logprob: Array
    hit: npt.NDArray[np.bool_]
    kl: Array

    def __len__(self) -> int:
        return len(self.target)

    @property
    def entropy(self) -> Array:
        """(n,) nats; minus the mean log-probability at temperature 1."""
        return -self.mean_logprob[:, ONE]

    def nll(self) -> Float64:
        """(n,) negative log-likelihood at temperature 1, nats; exact."""
        return -self.target.astype(np.float64)

    def summed(self) -> TextScores:
        """The sums over the tokens."""
        return TextScores(
            tokens=len(self),
            target=float(self.target.sum(dtype=np.float64)),
            log_partition=self.log_partition.sum(axis=0, dtype=np.float64),
            mean_logprob=self.mean_logprob.sum(axis=0, dtype=np.float64),
            hits=int(self.hit.sum()),
            ruled_out=int(np.isneginf(self.target).sum()),
            kl=float(self.kl.sum(dtype=np.float64)),
        )


@dataclass(frozen=True, slots=True, eq=False)
class TextScores:
    """``TokenScores`` summed over a whole text: enough for calibration, and a row in a file.

    Attributes:
        tokens: n.
        target: sum of log-probabilities of the reference's tokens; -inf if one is ruled out.
        log_partition: (G,) sums.
        mean_logprob: (G,) sums.
        hits: at how many tokens the likeliest is the reference's.
        ruled_out: how many tokens of the reference have no probability at all.
        kl: sum of the divergences, nats; NaN where none was given.
    """

    tokens: int
    target: float
    log_partition: Float64
    mean_logprob: Float64
    hits: int
    ruled_out: int
    kl: float

    def __len__(self) -> int:
        return self.tokens

    def __add__(self, other: TextScores) -> TextScores:
        """The scores of a text from those of its two pieces."""
        return TextScores(
            tokens=self.tokens + other.tokens,
            target=self.target + other.target,
            log_partition=self.log_partition + other.log_partition,
            mean_logprob=self.mean_logprob + other.mean_logprob,
            hits=self.hits + other.hits,
            ruled_out=self.ruled_out + other.ruled_out,
            kl=self.kl + other.kl,
        )

    @property
    def nll(self) -> float:
        """The sum at temperature 1, in nats; exact."""
        return -self.target

    @property
    def entropy(self) -> float:
        """The sum, in nats."""
        return -float(self.mean_logprob[ONE])


def score_tokens(
    logprobs: Array, targets: npt.NDArray[np.integer], other: Array | None = None
) -> TokenScores:
    """Summarise a policy's rows.

    Args:
        logprobs: (n, V) natural log, normalised; row i predicts token i.
        targets: (n,) token ids of the reference.
        other: (n, V) a policy to measure the divergence from, such as the LLM's own.

    Raises:
        ParameterError: the shapes do not fit, or an id lies outside the vocabulary.
    """
    n, width = _check(logprobs, targets, other)
    partition = np.empty((n, GRID.size), dtype=np.float32)
    slope = np.empty_like(partition)
    divergence = np.full(n, np.nan, dtype=np.float32)
    for i in range(n):
        row = np.maximum(logprobs[i], np.float32(LOG_FLOOR))  # -inf * 0 would be NaN
        partition[i], slope[i] = _partitions(row)
        if other is not None:
            divergence[i] = _divergence(row, other[i])
    rows = np.arange(n)
    return TokenScores(
        target=logprobs[rows, targets].astype(np.float32) if width else np.empty(0, np.float32),
        log_partition=partition,
        mean_logprob=slope,
        hit=np.asarray(logprobs.argmax(axis=1) == targets) if n else np.empty(0, bool),
        kl=divergence,
    )


def _partitions(row: Array) -> tuple[Float64, Float64]:
    """A(s) and its slope on the grid, for one (V,) row without -inf."""
    step = np.exp(row * np.float32(STEP))
    power = step * step  # exp(row * GRID[0])
    partition, slope = np.empty(GRID.size), np.empty(GRID.size)
    for k in range(GRID.size):
        total = float(power.sum(dtype=np.float64))
        partition[k], slope[k] = np.log(total), float(power @ row) / total
        power *= step
    return partition, slope


def _divergence(row: Array, other: Array) -> float:
    difference = row - np.maximum(other, np.float32(LOG_FLOOR))
    return float(np.exp(row) @ difference)


def _check(
    logprobs: Array, targets: npt.NDArray[np.integer], other: Array | None
) -> tuple[int, int]:
    if logprobs.ndim != 2 or targets.shape != logprobs.shape[:1]:
        raise ParameterError(
            f"Rows of shape {logprobs.shape} do not fit targets of shape {targets.shape}."
        )
    if other is not None and other.shape != logprobs.shape:
        raise ParameterError(f"Rows of shape {other.shape} do not fit {logprobs.shape}.")
    n, width = logprobs.shape
    if n and (targets.min() < 0 or targets.max() >= width):
        raise ParameterError(f"A target lies outside the vocabulary of {width:,}.")
    return n, width
