"""The steering rule of CoSteer: ``log pi = log pi_0 + gain * delta``.

Source: arXiv 2507.04756, equations 3 to 8 and Algorithm 1. The T-step loop there is linear in
log pi and starts from log pi_0, so it ends at log pi_0 + g_T * delta + const, where g_T depends on
the parameters alone (``gain``). The literal loop is in the tests, as the oracle.

Deviation, where the paper is undefined: log-probabilities below ``LOG_FLOOR`` count as
``LOG_FLOOR`` in the delta (so that -inf minus -inf is 0), and a token that the LLM rules out
(-inf) stays ruled out.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.exceptions import ParameterError

Array = npt.NDArray[np.float32]

LOG_FLOOR = -1000.0
"""Nats. A model does not distinguish probabilities below this."""

USEFUL_GAIN = 50.0
"""Above this the delta alone decides every token; the text degenerates long before that."""


class GainWarning(UserWarning):
    """The parameters give a gain that is too large to be useful."""


@dataclass(frozen=True, slots=True)
class SteeringParams:
    """The paper's hyperparameters; the defaults are those of its Table 4.

    Attributes:
        alpha: weight of the LLM policy contrast, >= 0.
        beta: weight of the SLM delta.
        lam: weight of the KL term that keeps the policy near the LLM's, > 0 (lambda).
        eta: learning rate of the proximal term, > 0.
        steps: optimisation steps T, >= 0.
    """

    alpha: float = 2.0
    beta: float = 1.0
    lam: float = 2.0
    eta: float = 10.0
    steps: int = 20

    def __post_init__(self) -> None:
        for name in ("alpha", "beta", "lam", "eta"):
            if not math.isfinite(getattr(self, name)):
                raise ParameterError(f"{name} must be a finite number.")
        if self.alpha < 0:
            raise ParameterError(f"alpha must be 0 or more, not {self.alpha}.")
        if self.lam <= 0:
            raise ParameterError(
                f"lam must be greater than 0, not {self.lam}.", "The paper uses 2."
            )
        if self.eta <= 0:
            raise ParameterError(
                f"eta must be greater than 0, not {self.eta}.", "The paper uses 10."
            )
        if self.steps < 0 or self.steps != int(self.steps):
            raise ParameterError(
                f"steps must be a whole number, 0 or more, not {self.steps}.", "The paper uses 20."
            )


LIGHT = SteeringParams(steps=1)
PAPER = SteeringParams()


def gain(params: SteeringParams) -> float:
    """Return g_T, the multiplier of the delta after T steps of Algorithm 1.

    g_0 = 0 and g_t = (t beta + alpha sum_{i<t} g_i + g_{t-1}/eta) / (t lam + 1/eta).

    Warns:
        GainWarning: the result is too large to be useful.

    Raises:
        ParameterError: the result overflows.
    """
    current = total = 0.0  # g_{t-1}, and the sum of g_0 .. g_{t-1}
    for t in range(1, int(params.steps) + 1):
        numerator = t * params.beta + params.alpha * total + current / params.eta
        current = numerator / (t * params.lam + 1 / params.eta)
        total += current
    if not math.isfinite(current):
        raise ParameterError(
            f"After {params.steps} steps the gain overflows.",
            f"Keep alpha ({params.alpha:g}) at or below lam ({params.lam:g}), or use fewer steps.",
        )
    if abs(current) > USEFUL_GAIN:
        warnings.warn(
            f"These parameters give a gain of {current:.3g}, which drowns out the large model. "
            f"Keep alpha ({params.alpha:g}) at or below lam ({params.lam:g}), or use fewer steps "
            f"than {params.steps}.",
            GainWarning,
            stacklevel=2,
        )
    return current


def log_softmax(logits: npt.ArrayLike) -> Array:
    """Normalise the last axis.

    Args:
        logits: (..., V), with any constant offset; -inf is allowed, but not in a whole row.

    Returns:
        (..., V) float32, natural log.
    """
    values: Array = np.asarray(logits, dtype=np.float32)
    shifted: Array = values - values.max(axis=-1, keepdims=True)
    total = np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float32)
    shifted -= np.log(total)
    return shifted


def delta(with_context: Array, without_context: Array) -> Array:
    """Return what the private context changes: log pi*_pers - log pi*_base (equation 4).

    Args:
        with_context: (..., V) natural log: the small model with the context.
        without_context: (..., V) natural log: the same model without it.

    Returns:
        (..., V) float32, natural log, finite.
    """
    floor = np.float32(LOG_FLOOR)
    # Both are fresh arrays; the subtraction reuses the first.
    result = np.maximum(with_context, floor, dtype=np.float32)
    result -= np.maximum(without_context, floor, dtype=np.float32)
    return result


def score(base_logprobs: Array, delta: Array, gain: float) -> Array:
    """Return ``base + gain * delta``, not normalised, which is enough to choose a token.

    Args:
        base_logprobs: (..., V) natural log: the LLM.
        delta: (..., V) finite.
        gain: g_T, or any other number.

    Returns:
        (..., V) float32, natural log plus a constant.
    """
    return base_logprobs + np.float32(gain) * delta


def steer(base_logprobs: Array, delta: Array, gain: float) -> Array:
    """Return the steered policy, equation 8 in closed form; arguments as for ``score``.

    Returns:
        (..., V) float32, natural log, normalised.
    """
    return log_softmax(score(base_logprobs, delta, gain))
