"""``strength="auto"``: what the context makes likelier counts in full, the rest hardly.

    score = log pi_0 + up * max(d, 0) + down * min(d, 0),   d = log P_SLM,with - log P_SLM,without

A small model that raises a token has found something in the context. That the others fall is for
the greater part arithmetic, since probabilities add up to one, and the rest is noise; a high gain
turns it into a penalty on good words.

The rule reads nothing but d, a number a token that the device knows, so the proof of
``decoding.certify`` holds as it is: pass ``bonus`` as the delta, and 1 as the gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import delta

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AutoParams:
    """Chosen on the tuning half of CoGenesis with the default pair: docs/strength.md.

    Attributes:
        up: the gain of tokens that the context makes likelier.
        down: that of tokens that it makes less likely.
    """

    up: float = 1.0
    down: float = 0.2


def bonus(with_context: Array, without_context: Array, params: AutoParams) -> Array:
    """What is added to the LLM's log-probabilities.

    Args:
        with_context: (..., V) log-probabilities of the small model that sees the context.
        without_context: (..., V) the same model's without it.
        params: the two gains.

    Returns:
        (..., V) float32, natural log, finite.
    """
    change = delta(with_context, without_context)
    change *= np.where(change > 0, np.float32(params.up), np.float32(params.down))
    return change
