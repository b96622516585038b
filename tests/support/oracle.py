"""Algorithm 1 of arXiv 2507.04756, literally, in float64: slow, and the judge of the fast rule."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import LOG_FLOOR, SteeringParams


def log_softmax(x: npt.NDArray[Any]) -> npt.NDArray[Any]:
    x = x - x.max()
    result: npt.NDArray[Any] = x - np.log(np.exp(x).sum())
    return result


def algorithm_1(
    llm: npt.NDArray[Any],
    slm_with: npt.NDArray[Any],
    slm_without: npt.NDArray[Any],
    params: SteeringParams,
) -> npt.NDArray[Any]:
    """(V,) log-probabilities in, (V,) steered log-probabilities out.

    Tokens with -inf in the LLM have no policy to optimise and stay out of the loop.
    """
    llm = np.asarray(llm, np.float64)
    possible = np.isfinite(llm)
    log_pi_0 = llm[possible]
    delta = np.maximum(slm_with, LOG_FLOOR).astype(np.float64)[possible]
    delta = delta - np.maximum(slm_without, LOG_FLOOR)[possible]
    log_pi = [log_softmax(log_pi_0)]
    utilities = []
    for t in range(1, params.steps + 1):
        utilities.append(params.alpha * (log_pi[-1] - log_pi[0]) + params.beta * delta)
        total = sum(utilities) + t * params.lam * log_pi[0] + log_pi[-1] / params.eta
        log_pi.append(log_softmax(total / (t * params.lam + 1 / params.eta)))
    result = np.full(llm.shape, -np.inf)
    result[possible] = log_pi[-1]
    return result
