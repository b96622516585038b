"""The device's delta over a pair of sequences, without the lanes around it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from costeer.decoding.steering import Array
from costeer.edge.live_delta import LiveDelta
from costeer.edge.schedule import StrengthSchedule
from costeer.edge.slm import SlmPair
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
