"""The strength may change while an answer is written, and the record of it gives the text again."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.edge.verify import MODES
from costeer.models.fake import FakeModel

STRENGTHS = st.sampled_from(["off", "gentle", "auto", "strong", "light", 0.7])


def open_costeer(**options: Any) -> Any:
    return Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), **options)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(1, 6), STRENGTHS), max_size=4),
    mode=st.sampled_from(MODES),
    temperature=st.sampled_from([0.0, 1.0]),
)
def test_a_seed_and_a_record_give_the_same_text(changes: Any, mode: Any, temperature: Any) -> None:
    at = dict(zip(accumulate(gap for gap, _ in changes), (s for _, s in changes), strict=True))
    options = {"max_tokens": 24, "temperature": temperature, "seed": 3}
    with open_costeer(mode=mode, strength="auto") as costeer:
        live = costeer.stream("Q?", "A context.", **options)
        for count, _ in enumerate(live, 1):
            if count in at:
                live.set_strength(at[count])
        record = live.result.strengths
        assert {position for position, _ in record[1:]} <= set(at)
        again = costeer.generate("Q?", "A context.", strength=record, **options)
    assert again.token_ids == live.result.token_ids
    assert again.strengths == record


@pytest.mark.slow
def test_a_change_acts_on_the_next_token_and_not_before() -> None:
    with open_costeer(strength="off") as costeer:
        off = costeer.generate("Q?", "A context.", max_tokens=20)
        live = costeer.stream("Q?", "A context.", max_tokens=20)
        for _ in range(5):
            next(live)
        live.set_strength(2.0)
        list(live)
        written = live.result.token_ids
        on = costeer.generate("Q?", "A context.", max_tokens=20, strength=[(0, "off"), (5, 2.0)])
    assert written[:5] == off.token_ids[:5]
    assert written == on.token_ids != off.token_ids
    assert live.result.strengths == [(0, "off"), (5, 2.0)]


def test_while_it_is_off_the_small_model_is_not_read_and_no_lane_is_held() -> None:
    class Counting(FakeModel):
        calls = 0

        def extend_many(self, work: Any, rows: Any = None) -> Any:
            self.calls += 1
            return super().extend_many(work, rows)

    slm = Counting(seed=2)
    with Costeer(InProcess(FakeModel(seed=1)), slm, strength="off") as costeer:
        live = costeer.stream("Q?", "A context.", max_tokens=20)
        next(live)
        assert (slm.calls, costeer.lanes.busy) == (0, 0)
        live.set_strength("auto")
        next(live)
        assert costeer.lanes.busy == 1
        live.close()
        assert slm.calls
        assert costeer.lanes.busy == 0


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(
    position=st.integers(0, 20),
    strength=st.sampled_from(["auto", 0.7, [(0, "auto"), (7, "off"), (9, "strong")]]),
    mode=st.sampled_from(MODES),
)
def test_an_answer_that_goes_on_from_its_own_tokens_is_the_same(
    position: Any, strength: Any, mode: Any
) -> None:
    options = {"max_tokens": 25, "temperature": 1.0, "seed": 5}
    with open_costeer(mode=mode) as costeer:
        whole = costeer.generate("Q?", "A context.", strength=strength, **options)
        position = min(position, len(whole.token_ids) - 1)
        beginning = whole.go_on(position)
        rest = costeer.generate("Q?", "A context.", beginning=beginning, **options)
    if not isinstance(strength, list):
        assert rest.token_ids == whole.token_ids
        assert rest.text == whole.text
        assert rest.steps == whole.steps - position
    assert rest.token_ids[:position] == whole.token_ids[:position]


@pytest.mark.slow
def test_an_answer_goes_on_from_another_token() -> None:
    with open_costeer(strength="auto") as costeer:
        whole = costeer.generate("Q?", "A context.", max_tokens=30)
        other = costeer.generate(
            "Q?", "A context.", max_tokens=30, beginning=whole.go_on(4, ord("X"))
        )
    assert other.token_ids[:5] == [*whole.token_ids[:4], ord("X")]
    assert other.token_ids[5:] != whole.token_ids[5:]
    assert "X" in other.text


@pytest.mark.parametrize("trouble", [{"max_tokens": 4}, {"max_tokens": 5}])
def test_a_beginning_that_leaves_nothing_to_write_is_refused(trouble: Any) -> None:
    with open_costeer() as costeer:
        whole = costeer.generate("Q?", "A context.", max_tokens=10)
        with pytest.raises(Exception, match="max_tokens must be at least 6"):
            costeer.stream("Q?", "A context.", beginning=whole.go_on(5), **trouble)
        with pytest.raises(Exception, match="no position 11"):
            whole.go_on(11)
