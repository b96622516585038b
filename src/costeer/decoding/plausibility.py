"""How uncertain rows of log-probabilities are: what a flat row of a lying cloud is noticed by.

With a flat row the device's difference alone decides, and a small model that reads a private text
recites it. A model that is honest and larger is seldom much less certain than the small one.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

MOST_MASS = 1.05
"""What the probabilities of a row may sum to; rounding in half precision stays below."""


def entropy(logprobs: Array) -> npt.NDArray[np.float64]:
    """The entropy of whole rows.

    Args:
        logprobs: (n, V) natural log, normalised; -inf allowed.

    Returns:
        (n,) nats.
    """
    masses = np.exp(logprobs)
    logs = np.maximum(logprobs, np.float32(-1000.0))
    return np.asarray(-(masses * logs).sum(axis=-1, dtype=np.float64))


def least_entropy(top_logprobs: Array) -> float:
    """The least entropy of a row of which only the top k are known.

    What is left of the probability is spread over tokens of at most the smallest known one.

    Args:
        top_logprobs: (k,) natural log, k at least 1.

    Returns:
        Nats; infinite where the row is none, because its probabilities sum to more than 1.
    """
    logs = np.maximum(top_logprobs.astype(np.float64), -1000.0)
    masses = np.exp(logs)
    total = float(masses.sum())
    if not total <= MOST_MASS:
        return float("inf")
    rest = max(1.0 - total, 0.0)
    return float(-(masses * logs).sum() - rest * logs.min())
