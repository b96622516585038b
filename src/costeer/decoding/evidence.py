"""What a chosen token tells a cloud that already suspects the context: a log likelihood ratio.

A cloud knows its own row, this code and the small model, so it can compute how likely each token is
with a context and without. The sum over an answer is the most that any attack on its tokens can
get (the Neyman-Pearson lemma). Related: "context influence", arXiv 2410.03026.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from costeer.decoding.sampling import SamplingParams

Array = npt.NDArray[np.float32]


def nats_for_context(
    top_ids: npt.NDArray[np.int32],
    top_logprobs: Array,
    bonus: Array,
    sampling: SamplingParams,
    token: int,
) -> float:
    """By how many nats the context makes the token likelier, among the received ones.

    A greedy answer follows from the context with certainty, so that its ratio is not finite where
    it differs. Then this is the mean ratio of a token drawn at temperature 1,
    KL(steered || unsteered): a lower estimate.

    Args:
        top_ids: (k,) ids as received; ids of V and above are padding.
        top_logprobs: (k,) natural log, as received.
        bonus: (V,) natural log: gain times delta.
        sampling: how the token was chosen; a nucleus (top_p) is not accounted for.
        token: the token.
    """
    real = top_ids < bonus.size
    top_ids, top_logprobs = top_ids[real], top_logprobs[real]
    temperature = 1.0 if sampling.greedy else sampling.temperature
    plain = _normalized(top_logprobs.astype(np.float64) / temperature)
    scores = plain + bonus[top_ids] / temperature
    kept = np.isfinite(scores)
    ratio = (_normalized(scores[kept]) - plain[kept]) if kept.any() else np.zeros(0)
    if sampling.greedy:
        return float((np.exp(plain[kept] + ratio) * ratio).sum())
    return float(ratio[top_ids[kept] == token].sum())


def _normalized(logs: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    highest = logs.max()
    normalized: npt.NDArray[np.float64] = logs - highest - np.log(np.exp(logs - highest).sum())
    return normalized
