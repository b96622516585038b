"""``strength="auto"``: how much each token's difference counts, decided on the device.

    score = log pi_0 + push(d) + copy * max(log P_cache + reach, 0)
    d     = log P_SLM,with - max(log P_SLM,without, floor)
    push  = gain * d + (sure_gain - gain) * max(d - sure, 0)

Three changes to ``log pi_0 + gain * delta``. What the small model finds next to impossible without
the context is no evidence when divided by (``floor``). A large difference counts for more than
its share (``sure``). And the private text itself is asked what it would go on with (``cache``).

Everything but log pi_0 is a number a token that the device knows, so the proof of
``decoding.certify`` holds as it is: pass ``push + copy`` as the delta, and 1 as the gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.cache import Cache
from costeer.decoding.steering import delta

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AutoParams:
    """Fitted by ``runs/strength_study.py`` on the tuning half of CoGenesis, on the default pair.

    Attributes:
        gain: of a difference up to ``sure``.
        floor: nats; a token's log-probability without the context counts as at least this.
        sure: nats; the difference from which it counts ``sure_gain`` times.
        sure_gain: of what lies beyond.
        copy: weight of the cache.
        reach: nats; the cache counts where its log-probability is above minus this.
    """

    gain: float = 0.44
    floor: float = -11.0
    sure: float = 4.0
    sure_gain: float = 1.2
    copy: float = 0.08
    reach: float = 12.0


class Auto:
    """The rule in one answer.

    Args:
        params: its numbers.
        text: ids of the private text.
    """

    def __init__(self, params: AutoParams, text: Sequence[int]) -> None:
        self._params = params
        self._cache = Cache(text)

    def bonus(self, with_context: Array, without_context: Array, answer: Sequence[int]) -> Array:
        """What is added to the LLM's log-probabilities, (n, V) float32, finite.

        Args:
            with_context: (n, V) log-probabilities of the small model, n positions in order.
            without_context: (n, V) the same without the context.
            answer: the tokens before the last of these positions.
        """
        p = self._params
        change: Array = delta(with_context, np.maximum(without_context, np.float32(p.floor)))
        result: Array = np.maximum(change - np.float32(p.sure), np.float32(0))
        result *= np.float32(p.sure_gain - p.gain)
        change *= np.float32(p.gain)
        result += change
        ids = self._cache.ids
        for i, row in enumerate(result):
            before = answer[: len(answer) - len(result) + 1 + i]
            likely = np.maximum(self._cache.logprobs(before) + np.float32(p.reach), 0)
            row[ids] += np.float32(p.copy) * likely
        return result
