"""Steering without the lanes around it: the delta over a pair of sequences, and the full scores."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from costeer.decoding.steering import Array, delta, score
from costeer.edge.live_delta import LiveDelta
from costeer.edge.prompts import Prompts
from costeer.edge.schedule import StrengthSchedule
from costeer.edge.slm import SlmPair
from costeer.models.base import LanguageModel
from costeer.models.fake import FakeModel


class PairDelta:
    """A ``LiveDelta`` for each answer; of the gain 1, unless told otherwise.

    Args:
        pair: outlives the answers; None where the strength is "off".
        strength: of all answers.
        vocab_size: V.
    """

    def __init__(
        self,
        pair: SlmPair | None,
        strength: float | str = 1.0,
        vocab_size: int = FakeModel().vocab_size,
    ) -> None:
        self._pair, self._strength, self._vocab_size = pair, strength, vocab_size

    def begin(self, plain: Sequence[int], private: Sequence[int]) -> Array:
        schedule = StrengthSchedule(self._strength)
        self._live = LiveDelta(lambda _: nullcontext(self._pair), schedule, self._vocab_size)
        return self._live.begin(plain, private)

    def advance(self, token: int) -> Array:
        return self._live.advance(token)


def no_steering() -> PairDelta:
    """The large model of the toy vocabulary alone."""
    return PairDelta(None, "off")


def full_scores(
    llm: LanguageModel, slm: LanguageModel, prompts: Prompts, answer: Sequence[int], gain: float
) -> Array:
    """Scores over the whole vocabulary at each position of an answer, (n, V), read at once."""

    def rows(model: LanguageModel, prompt: Sequence[int]) -> Array:
        sequence = model.sequence()
        found = sequence.extend([*prompt, *answer], rows=len(answer) + 1)[:-1]
        sequence.close()
        return found

    base = rows(llm, prompts.public)
    return score(base, delta(rows(slm, prompts.private), rows(slm, prompts.plain)), gain)
