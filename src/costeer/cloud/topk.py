"""The top k of a row of log-probabilities. Arrays only."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from costeer.cloud.base import CloudStep
from costeer.exceptions import NotFiniteError
from costeer.models.base import LogProbs


def top_k(logprobs: LogProbs, k: int) -> tuple[npt.NDArray[np.int32], LogProbs]:
    """Return the k most likely tokens of one row, exact under ties.

    Args:
        logprobs: (V,) float32, natural log.
        k: how many; capped by V.

    Returns:
        ids (k,) int32 and logprobs (k,) float32: descending, among equals the lower id first.
        No omitted token is above the last one, nor equal to it with a lower id.

    Raises:
        NotFiniteError: there is a NaN in the row.
    """
    if np.isnan(np.max(logprobs)):
        raise NotFiniteError(
            "The model gave log-probabilities that are not numbers.",
            "The model file may be damaged; fetch it again.",
        )
    k = min(k, len(logprobs))
    if k < 1:
        return np.empty(0, np.int32), np.empty(0, np.float32)
    cut = len(logprobs) - k
    kth = logprobs[np.argpartition(logprobs, cut)[cut]]
    above = np.flatnonzero(logprobs > kth)
    level = np.flatnonzero(logprobs == kth)[: k - len(above)]  # argpartition takes any of them
    ids = np.concatenate([above, level])
    ids = ids[np.lexsort((ids, -logprobs[ids]))]
    return ids.astype(np.int32), logprobs[ids].astype(np.float32)


def greedy_step(logprobs: LogProbs, k: int) -> CloudStep:
    """Build the step of a row (V,): its argmax (lowest id among equals) and its top k."""
    ids, values = top_k(logprobs, max(k, 1))
    return CloudStep(int(ids[0]), ids[:k], values[:k])
