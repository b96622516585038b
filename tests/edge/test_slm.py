"""The delta of the small model, against its rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from costeer.decoding.auto import Auto
from costeer.decoding.strength import AUTO
from costeer.edge.slm import SlmPair
from costeer.models.fake import FakeModel
from tests.support.steering import PairDelta, no_steering


class Counting(FakeModel):
    """Counts tokens evaluated and batches run."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = self.batches = 0

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        self.batches += 1
        self.tokens += sum(len(ids) for _, ids in work)
        return super().extend_many(work, rows)


def expected(model: Any, private: Any, public: Any) -> Any:
    return model.logprobs(private) - model.logprobs(public)


def test_the_delta_is_with_minus_without() -> None:
    model = FakeModel()
    delta = PairDelta(SlmPair(model))
    first = delta.begin([1, 2], [9, 1, 2])
    assert np.allclose(first, expected(model, [9, 1, 2], [1, 2]), atol=1e-5)
    delta.advance(5)
    row = delta.advance(6)
    assert row.shape == (model.vocab_size,)
    assert np.allclose(row, expected(model, [9, 1, 2, 5, 6], [1, 2, 5, 6]), atol=1e-5)


def test_a_rule_scales_the_delta_of_one_answer() -> None:
    model = FakeModel()
    pair = SlmPair(model)
    delta = PairDelta(pair, "auto")

    def by_hand(*answer: Any) -> Any:
        rule = Auto(AUTO, [9, 5])
        for end in range(len(answer) + 1):
            with_ = model.logprobs([1, 9, 5, 2, *answer[:end]])[None]
            bonus = rule.bonus(with_, model.logprobs([1, 2, *answer[:end]])[None], answer[:end])
        return bonus[0]

    assert np.allclose(delta.begin([1, 2], [1, 9, 5, 2]), by_hand(), atol=1e-5)
    assert np.allclose(delta.advance(9), by_hand(9), atol=1e-5)
    assert np.allclose(delta.advance(4), by_hand(9, 4), atol=1e-5)
    plain = model.logprobs([1, 9, 5, 2]) - model.logprobs([1, 2])
    assert np.allclose(PairDelta(pair).begin([1, 2], [1, 9, 5, 2]), plain, atol=1e-5)


def test_each_prompt_is_read_by_itself_and_the_next_turn_reads_only_what_is_new() -> None:
    model = Counting()
    pair = SlmPair(model)
    local = PairDelta(pair)
    public, private = list(range(20)), list(range(100, 160))
    local.begin(public, private)
    assert (model.batches, model.tokens) == (2, 80)
    local.advance(5)
    assert (model.batches, model.tokens) == (3, 82)
    local.begin([*public, 5, 6], [*private, 5, 6])
    assert (model.batches, model.tokens) == (5, 84)
    local.begin([*public, 5, 6], [*private, 5, 6])  # the same again: the last token only
    assert model.tokens == 86


def test_closing_frees_both_sequences() -> None:
    model = FakeModel(max_sequences=2)
    SlmPair(model).close()
    SlmPair(model).close()
    assert model.opened == 0


def test_no_steering_is_zero() -> None:
    local = no_steering()
    assert not local.begin([1], [2]).any()
    assert local.advance(1).shape == (320,)
