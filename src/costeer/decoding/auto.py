"""``strength="auto"``: how much the difference counts, decided at every token on the device.

    score = log pi_0 + gain * w * (log P_SLM,with - log P_SLM,without)
    w     = min(1, KL / knee) * min(1, calm / recent)
    and nothing above 0 for a token that would copy on where the answer has copied a run;

KL is KL(P_SLM,with || P_SLM,without) at this position, and ``recent`` its moving average.

At most positions of an answer the context has nothing to say, and the small model's two rows are
almost equal. What is left of their difference there is noise, and a constant gain large enough to
respect the person turns that noise into changed words. So the divergence of the two rows sets the
weight: full where the context decides something (a diet, a name, a language), none where it is
silent.

Once an answer recites the context, the two rows differ everywhere: the small model repeats what it
has read, and without the context it would never have said so. Answers that people would keep have a
divergence of 0.05 to 0.8 nats on average, recitals 2 to 5. So the weight falls where the moving
average rises above ``calm``.

The difference, left to itself, copies whole sentences of a history, the wrong weekday with the
rest. People do not: of 29,364 tokens of CoGenesis' references, written with the same records at
hand, 39 follow eight tokens that stand so in the records. A run of that length gets no more help.

Everything but log pi_0 is a number that the device knows for every token, so the proof of
``decoding.certify`` holds as it is: pass ``bonus`` as the delta, and 1 as the gain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costeer.decoding.steering import Array, delta


@dataclass(frozen=True, slots=True)
class AutoParams:
    """Chosen by adherence and fluency on the default pair: docs/strength.md.

    Attributes:
        gain: of the difference where the context decides.
        knee: nats; the divergence from which on the gain is full.
        calm: nats; the recent divergence above which the gain falls.
        cap: nats; what one position adds to the moving average at most, since a name or a language
            may take tens.
        span: positions that the moving average looks back.
        run: tokens in a row, of the private text, that the answer may copy with help.
    """

    gain: float = 2.5
    knee: float = 0.4
    calm: float = 0.4
    cap: float = 2.0
    span: float = 12.0
    run: int = 8


class Auto:
    """The rule in one answer.

    Args:
        params: its numbers.
        text: ids of the private text.
    """

    def __init__(self, params: AutoParams, text: Sequence[int]) -> None:
        self._params = params
        self._after = following(text, params.run)
        self._recent: list[float] = []  # the moving average, by position

    def bonus(
        self, with_context: Array, without_context: Array, answer: Sequence[int] = ()
    ) -> Array:
        """What is added to the LLM's log-probabilities.

        Args:
            with_context: (n, V) log-probabilities of the small model, at n positions in a row.
            without_context: (n, V) the same without the context.
            answer: the tokens before the last of these positions. Positions that an earlier call
                has seen beyond these are forgotten.

        Returns:
            (n, V) float32, natural log, finite.
        """
        result = delta(with_context, without_context)
        first = len(answer) + 1 - len(result)
        del self._recent[max(first, 0) :]
        # One row at a time: sums over several rows at once may round differently.
        gains = [self._gain(divergence(w, d)) for w, d in zip(with_context, result, strict=True)]
        result *= np.array(gains, np.float32)[:, None]
        end_copies(result, answer, self._after, self._params.run)
        return result

    def _gain(self, nats: float) -> float:
        """The gain at the next position, whose divergence this is."""
        params = self._params
        before = self._recent[-1] if self._recent else 0.0
        recent = before + (min(nats, params.cap) - before) / params.span
        self._recent.append(recent)
        calmed = params.calm / recent if recent > params.calm else 1.0
        return params.gain * min(1.0, nats / params.knee) * calmed


def divergence(with_context: Array, delta: Array) -> float:
    """KL(with || without) at one position; nats, finite, 0 or more.

    Args:
        with_context: (V,) natural log, normalised.
        delta: (V,) finite, with minus without.
    """
    return max(float((np.exp(with_context) * delta).sum(dtype=np.float64)), 0.0)


def end_copies(
    bonus: Array, answer: Sequence[int], after: Mapping[tuple[int, ...], list[int]], run: int
) -> None:
    """Take all help from tokens that would make a copied run longer than ``run``.

    Args:
        bonus: (n, V), changed in place.
        answer: the tokens before the last of these positions.
        after: of the private text, from ``following``.
        run: how many tokens make a run.
    """
    for row, end in zip(bonus, range(len(answer) - len(bonus) + 1, len(answer) + 1), strict=True):
        copied = after.get(tuple(answer[max(end - run, 0) : end]), [])
        row[copied] = np.minimum(row[copied], 0)


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
