"""``strength="auto"``: how much each token's difference counts, decided on the device.

    score = log pi_0 + g(x) * (log P_SLM,with - max(log P_SLM,without, floor))
    g(x)  = up    where x stands in the private text and becomes likelier, until the answer has it,
            down  where x stands in the private text and becomes less likely,
            gain  for every other token,
            and nothing above 0 for an x that would copy on where the answer has copied a run.

The difference is worth most where it raises a word that the person's own text contains: a name, a
place, a turn of phrase. Said once, it needs no more help, and would come again and again with it.
Elsewhere the difference is mostly the small model's opinion of style, with its noise. And to divide
by what the small model finds next to impossible tells more of that noise than of the person; hence
the floor.

Left to itself the difference copies whole sentences, the wrong weekday with the rest. People do
not: of 29,364 tokens of CoGenesis' references, written with the same records at hand, 39 follow
eight tokens that stand so in the records. A run of that length gets no more help. The LLM alone may
go on with it.

Everything but log pi_0 is a number a token that the device knows, so the proof of
``decoding.certify`` holds as it is: pass ``bonus`` as the delta, and 1 as the gain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import delta

Array = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class AutoParams:
    """Chosen on the tuning half of CoGenesis with the default pair: docs/strength.md.

    Attributes:
        gain: of tokens that the private text does not contain.
        up: of those that it contains, where the context makes them likelier and the answer does
            not have them yet.
        down: of those that it contains, where it makes them less likely.
        floor: natural log; what is less likely without the context counts as if it were this
            likely.
        run: tokens in a row, of the private text, that the answer may copy with help.
    """

    gain: float = 0.4
    up: float = 0.85
    down: float = 0.2
    floor: float = -12.0
    run: int = 8


class Auto:
    """The rule in one answer.

    Args:
        params: its numbers.
        text: ids of the private text.
    """

    def __init__(self, params: AutoParams, text: Sequence[int]) -> None:
        self._params = params
        self._own = np.unique(np.asarray(text, dtype=np.int64))
        self._after = following(text, params.run)

    def bonus(
        self, with_context: Array, without_context: Array, answer: Sequence[int] = ()
    ) -> Array:
        """What is added to the LLM's log-probabilities.

        Args:
            with_context: (n, V) log-probabilities of the small model, at n positions in a row.
            without_context: (n, V) the same without the context.
            answer: the tokens before the last of these positions.

        Returns:
            (n, V) float32, natural log, finite.
        """
        params = self._params
        result = delta(with_context, np.maximum(without_context, np.float32(params.floor)))
        own = result[:, self._own]
        raised = np.where(self._said(answer, len(own)), params.gain, params.up)
        own *= np.where(own > 0, raised, params.down).astype(np.float32)
        result *= np.float32(params.gain)
        result[:, self._own] = own
        self._end_copies(result, answer)
        return result

    def _end_copies(self, bonus: Array, answer: Sequence[int]) -> None:
        """Take all help from tokens that would make a copied run longer than ``run``."""
        for row, before in zip(bonus, _before(answer, len(bonus)), strict=True):
            run = tuple(before[-self._params.run :])
            following = self._after.get(run, [])
            row[following] = np.minimum(row[following], 0)

    def _said(self, answer: Sequence[int], count: int) -> npt.NDArray[np.bool_]:
        """(count, U) whether the answer has each own token, before each of the last positions."""
        return np.stack([np.isin(self._own, before) for before in _before(answer, count)])


def _before(answer: Sequence[int], count: int) -> list[Sequence[int]]:
    """What is in front of each of the last ``count`` positions."""
    return [answer[:end] for end in range(len(answer) - count + 1, len(answer) + 1)]


def following(text: Sequence[int], run: int) -> dict[tuple[int, ...], list[int]]:
    """What stands in a text after each run of that many tokens."""
    after: dict[tuple[int, ...], list[int]] = {}
    for end in range(run, len(text)):
        after.setdefault(tuple(text[end - run : end]), []).append(text[end])
    return after


def private_part(public: Sequence[int], private: Sequence[int]) -> tuple[int, ...]:
    """What the private prompt has between the beginning and the end that both prompts share."""
    room = min(len(public), len(private))
    start = next((i for i in range(room) if public[i] != private[i]), room)
    end = next((i for i in range(room - start) if public[-1 - i] != private[-1 - i]), room - start)
    return tuple(private[start : len(private) - end])
