"""The rule behind ``strength="auto"``: a gain for every token, computed on the device alone.

    score = log pi_0 + gain * w * s * (log P_SLM,with - log P_SLM,without)
    w     = min(1, KL / knee) * min(1, calm / recent)
    s     = max(0, 1 - (log max P_SLM,with - log P_SLM,with) / fade) where it helps, else 1
    at most 0 for a token that would extend a copied run

KL is KL(P_SLM,with || P_SLM,without) at this position, and ``recent`` is its moving average.

At most positions of an answer the context has nothing to say, and the small model's two rows are
almost equal. What remains of the delta there is noise, and a constant gain that is large enough to
respect the user turns that noise into changed words. So the divergence of the two rows sets the
weight: full where the context decides something (a diet, a name, a language), zero where it is
silent.

A context makes many words likelier that it does not make likely. After "Based on" the small model
gave a person's name a hundredth of what it gave its favourite, but sixty thousand times what it
gave without the context; multiplied, that beats everything that the large model had in mind, and
once the name is there, the other facts follow. So help fades with the distance to the favourite: a
token gets all of it only if the small model, with the context, would really say it here.

Once an answer recites the context, the two rows differ everywhere: the small model repeats what it
has read, which it would never have said without the context. Answers that people would keep have a
mean divergence of 0.05 to 0.8 nats, recitals 2 to 5. So the weight falls as the moving average
rises above ``calm``.

Left alone, the delta copies whole sentences of a history, including the wrong weekday. People do
not: of the 29,364 tokens of CoGenesis' references, which were written from the same records, 39
follow eight tokens that also appear in a row in the records. After a run of that length copying
gets no more help.

Everything but log pi_0 is known to the device for every token, so the proof of ``decoding.certify``
holds unchanged: pass ``bonus`` as the delta, and 1 as the gain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from costeer.decoding.steering import LOG_FLOOR, Array, delta


@dataclass(frozen=True, slots=True)
class AutoParams:
    """The numbers of the rule. Defaults were chosen on the default pair (docs/strength.md).

    Attributes:
        gain: multiplier of the delta where the context decides.
        knee: nats; at this divergence and above the gain is full.
        calm: nats; the gain falls when the recent divergence exceeds this.
        cap: nats; the most that one position contributes to the moving average, since a name or a
            language can contribute tens.
        span: positions in the moving average.
        fade: nats; a token that the small model, with the context, finds less likely than its
            favourite by this much or more gets no help.
        run: how many tokens in a row the answer may copy from the private text with help.
    """

    gain: float = 2.5
    knee: float = 0.4
    calm: float = 0.2
    cap: float = 2.0
    span: float = 12.0
    fade: float = 5.0
    run: int = 8


class Auto:
    """The rule, applied to one answer.

    Args:
        params: the numbers of the rule.
        text: token ids of the private text.
        recent: ``recent`` of another rule, which this one follows in the same answer.
    """

    def __init__(
        self, params: AutoParams, text: Sequence[int], recent: Sequence[float] = ()
    ) -> None:
        self._params = params
        self._after = following(text, params.run)
        self._recent = list(recent)  # the moving average, by position

    @property
    def recent(self) -> tuple[float, ...]:
        """The moving average of the divergence (nats) after each position so far."""
        return tuple(self._recent)

    def bonus(
        self, with_context: Array, without_context: Array, answer: Sequence[int] = ()
    ) -> Array:
        """Return what to add to the LLM's log-probabilities.

        Args:
            with_context: (n, V) natural log, normalised: the small model's rows at n consecutive
                positions, with the context.
            without_context: (n, V) the same without the context.
            answer: the tokens before the last of these positions. Positions beyond these that an
                earlier call has seen are forgotten.

        Returns:
            (n, V) float32, natural log, finite.
        """
        result = delta(with_context, without_context)
        first = len(answer) + 1 - len(result)
        del self._recent[max(first, 0) :]
        # Row by row: a sum over several rows at once may round differently.
        gains = [self._gain(divergence(w, d)) for w, d in zip(with_context, result, strict=True)]
        result *= np.array(gains, np.float32)[:, None]
        for row, likely in zip(result, with_context, strict=True):
            fade_help(row, likely, self._params.fade)
        end_copies(result, answer, self._after, self._params.run)
        return result

    def _gain(self, nats: float) -> float:
        """Return the gain at the next position, given its divergence."""
        params = self._params
        before = self._recent[-1] if self._recent else 0.0
        recent = before + (min(nats, params.cap) - before) / params.span
        self._recent.append(recent)
        calmed = params.calm / recent if recent > params.calm else 1.0
        return params.gain * min(1.0, nats / params.knee) * calmed


def divergence(with_context: Array, delta: Array) -> float:
    """Return KL(with || without) at one position, in nats; finite, 0 or more.

    Args:
        with_context: (V,) natural log, normalised.
        delta: (V,) finite; with minus without.
    """
    return max(float((np.exp(with_context) * delta).sum(dtype=np.float64)), 0.0)


def fade_help(bonus: Array, with_context: Array, fade: float) -> None:
    """Take help from tokens, the more the further they are from the likeliest one.

    Args:
        bonus: (V,), changed in place where it is positive.
        with_context: (V,) natural log: the small model's row with the context.
        fade: nats; a token that is this far away gets none.
    """
    scale = np.maximum(with_context, np.float32(LOG_FLOOR))
    scale -= scale.max()
    scale /= np.float32(fade)
    scale += 1
    np.multiply(bonus, np.maximum(scale, 0), out=bonus, where=bonus > 0)


def end_copies(
    bonus: Array, answer: Sequence[int], after: Mapping[tuple[int, ...], list[int]], run: int
) -> None:
    """Stop helping tokens that would make a copied run longer than ``run``.

    Args:
        bonus: (n, V), changed in place.
        answer: the tokens before the last of these positions.
        after: ``following`` of the private text.
        run: the length of a run, in tokens.
    """
    for row, end in zip(bonus, range(len(answer) - len(bonus) + 1, len(answer) + 1), strict=True):
        copied = after.get(tuple(answer[max(end - run, 0) : end]), [])
        row[copied] = np.minimum(row[copied], 0)


def following(text: Sequence[int], run: int) -> dict[tuple[int, ...], list[int]]:
    """Map each run of ``run`` tokens of a text to the tokens that follow it there."""
    after: dict[tuple[int, ...], list[int]] = {}
    for end in range(run, len(text)):
        after.setdefault(tuple(text[end - run : end]), []).append(text[end])
    return after


def private_part(public: Sequence[int], private: Sequence[int]) -> tuple[int, ...]:
    """Return what the private prompt has between the start and the end that both prompts share."""
    room = min(len(public), len(private))
    start = next((i for i in range(room) if public[i] != private[i]), room)
    end = next((i for i in range(room - start) if public[-1 - i] != private[-1 - i]), room - start)
    return tuple(private[start : len(private) - end])
