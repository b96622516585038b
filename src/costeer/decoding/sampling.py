"""Choose one token from scores over the whole vocabulary: greedy, temperature, top-p.

Sampling uses the Gumbel-max trick (Maddison et al. 2014, arXiv 1411.0030): the argmax of
``scores / temperature + Gumbel noise`` is a sample from the softmax. The noise is a pure function
of seed and position, computed on the device. So one seed gives one text in every decoding mode, and
the noise of every token is known before the LLM has answered.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import Array
from costeer.exceptions import ParameterError


@dataclass(frozen=True, slots=True)
class SamplingParams:
    """How a token is chosen.

    Attributes:
        temperature: 0 is greedy; otherwise scores are divided by it.
        top_p: sample only from the smallest set of likeliest tokens whose mass reaches this.
        seed: of the noise, 0 to 2**64 - 1.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise ParameterError(
                f"The temperature must be 0 or more, not {self.temperature}.",
                "0 is greedy; 0.7 is lively.",
            )
        if not 0 < self.top_p <= 1:
            raise ParameterError(
                f"top_p must be above 0 and at most 1, not {self.top_p}.", "1 switches it off."
            )
        if not 0 <= self.seed < 2**64:
            raise ParameterError(f"The seed must be from 0 to 2**64 - 1, not {self.seed}.")

    @property
    def greedy(self) -> bool:
        """Whether the likeliest token is always taken, without noise."""
        return self.temperature == 0

    @property
    def nucleus(self) -> bool:
        """Whether top-p restricts the choice. When greedy it cannot: the best token is inside."""
        return not self.greedy and self.top_p < 1


def gumbel(seed: int, position: int, size: int) -> Array:
    """Return standard Gumbel noise for one position of the answer.

    Args:
        seed: the sampling seed.
        position: of the token within the answer, from 0.
        size: V, the size of the vocabulary.

    Returns:
        (V,) float32.
    """
    bits = np.random.Philox(key=np.array([seed, position], dtype=np.uint64))
    noise = np.random.Generator(bits).standard_exponential(size, dtype=np.float32)
    np.maximum(noise, np.float32(1e-30), out=noise)  # log(0) would be an infinite score
    np.log(noise, out=noise)
    return np.negative(noise, out=noise)


def perturb(scores: Array, temperature: float, noise: Array) -> Array:
    """Return ``scores / temperature + noise``, whose argmax is the sample.

    Rounding is monotone, so an upper bound of a score gives an upper bound here.
    """
    return scores / np.float32(temperature) + noise


def nucleus_order(scores: Array, temperature: float) -> npt.NDArray[np.intp]:
    """Return the indices from the likeliest token down; ties in order of index."""
    return np.argsort(-(scores / np.float32(temperature)), kind="stable")


def choose(scores: Array, sampling: SamplingParams, noise: Array | None = None) -> int:
    """Choose a token from the full vocabulary.

    Args:
        scores: (V,) natural log, plus any constant.
        sampling: how to choose.
        noise: (V,) from ``gumbel``; not needed when greedy.

    Returns:
        The token id; ties go to the lowest.
    """
    if sampling.greedy or noise is None:
        return int(np.argmax(scores))
    perturbed = perturb(scores, sampling.temperature, noise)
    if not sampling.nucleus:
        return int(np.argmax(perturbed))
    order = nucleus_order(scores, sampling.temperature)
    mass = np.cumsum(weights(scores[order], sampling.temperature, float(scores.max())))
    kept = int(np.searchsorted(mass, sampling.top_p * mass[-1])) + 1
    inside = np.sort(order[:kept])
    return int(inside[np.argmax(perturbed[inside])])


def weights(scores: Array, temperature: float, peak: float) -> npt.NDArray[np.float64]:
    """Return ``exp((scores - peak) / temperature)`` in float64: weights on a linear scale."""
    scaled: npt.NDArray[np.float64] = (scores.astype(np.float64) - peak) / temperature
    return np.exp(scaled)
