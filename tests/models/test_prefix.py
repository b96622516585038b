"""Rows depend on the ids alone: tables of calls, and bits of a real engine."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from costeer.cloud.in_process import InProcess
from costeer.edge.slm import SlmPair
from costeer.models.fake import END, START, FakeModel
from costeer.models.prefix import CHUNK, CanonicalCalls
from tests.support.engines import load_tiny
from tests.support.steering import PairDelta

OPENING = [END, START, *b"assistant\n"]


class Batching(FakeModel):
    """Says that up to ``exact`` ids go one by one, as llama.cpp does, and remembers such calls."""

    def __init__(self, exact: Any = 3, **options: Any) -> None:
        super().__init__(**options)
        self.exact_batch = exact

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        found = super().extend_many(work, rows)
        for sequence, ids in work:
            if len(ids) > self.exact_batch:
                end = len(sequence)
                sequence.calls[-len(ids) :] = [(end - len(ids), end)] * len(ids)
        return found


def spans(calls: Any) -> Any:
    """Each call once."""
    return list(dict.fromkeys(calls))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([7] * 4, [(0, 4)]),
        ([7] * (CHUNK + 5), [(0, CHUNK), (CHUNK, CHUNK + 5)]),
        ([7] * (CHUNK + 2), [(0, CHUNK), (CHUNK, CHUNK + 1), (CHUNK + 1, CHUNK + 2)]),
        ([7, *OPENING], [(0, 13)]),
        ([7, *OPENING, 1, 2], [(0, 13), (13, 14), (14, 15)]),
        ([7, *OPENING, 1, 2, *OPENING], [(0, 13), (13, 14), (14, 15), (15, 27)]),
        ([7, *OPENING, *OPENING, 1], [(0, 13), (13, 25), (25, 26)]),
        ([7, *OPENING, 1, END, 5, 5, 5], [(0, 13), (13, 14), (14, 18)]),
    ],
)
def test_the_calls_of_a_prompt(ids: Any, expected: Any) -> None:
    canonical = CanonicalCalls(Batching())
    assert spans(canonical.calls(ids)) == expected
    assert canonical.required_calls(ids) == canonical.calls(ids)


def test_the_pieces_leave_exactly_the_planned_calls() -> None:
    model = Batching()
    canonical = CanonicalCalls(model)
    first = [*range(CHUNK + 20), *OPENING, *range(1, 9), *OPENING]
    sequence = model.sequence()
    for prompt in (first, [*first, 1, 2], [*first, 1, 3], first[: CHUNK + 9], [*first, 5]):
        canonical.prefill(sequence, prompt)
        assert sequence.ids == tuple(prompt)
        assert sequence.calls == canonical.calls(prompt)


@pytest.mark.parametrize(
    ("held", "prompt", "kept"),
    [
        ([7, *OPENING, 1, 2], [7, *OPENING, 1, 2, 3], 15),
        ([7, *OPENING, 1, 2], [7, *OPENING, 1, 2], 14),  # the last one's row is asked for
        ([7, *OPENING, 1, 2], [7, *OPENING], 0),
        ([7, *OPENING, 1, 2], [7, *OPENING, 1, 2, *OPENING], 15),  # the next turn
        ([*range(CHUNK), 1, 2, 3, 4, 5], [*range(CHUNK), 1, 2, 3, 4, 6], CHUNK),
        ([*range(CHUNK), 1, 2, 3, 4, 5], [*range(CHUNK), 1, 2, 3, 4, 5, 6], CHUNK),
    ],
)
def test_only_work_of_the_same_calls_is_reused(held: Any, prompt: Any, kept: Any) -> None:
    model = Batching()
    canonical, sequence = CanonicalCalls(model), model.sequence()
    canonical.prefill(sequence, held)
    canonical.rewind(sequence, prompt)
    assert len(sequence) == kept


def test_without_a_promise_all_that_is_held_is_reused() -> None:
    model = Batching()
    model.repeatable = False
    canonical, sequence = CanonicalCalls(model), model.sequence()
    sequence.extend([1, 2, 3, 4, 5])
    assert canonical.rewind(sequence, [1, 2, 3, 4, 9, 9]) == [[9, 9]]
    assert canonical.required_calls([1, 2]) is None


class Quantised:
    """What every test of bits does with the tiny model."""

    def __init__(self, model: Any) -> None:
        self.model = model
        chat = model.tokenizer.chat([{"role": "user", "content": "a question of some words " * 3}])
        self.prompt = chat
        self.other = model.tokenizer.chat([{"role": "user", "content": "another matter " * 4}])

    def steps(self, cloud: Any, prompt: Any, count: Any) -> Any:
        rows = []
        for step in cloud.stream(prompt, 64, count):
            order = np.argsort(step.top_ids)
            rows.append((step.token, step.top_ids[order].tobytes(), step.top_logprobs.tobytes()))
        return rows


@pytest.fixture
def tiny(request: pytest.FixtureRequest) -> Iterator[Any]:
    model = load_tiny("llamacpp", request, threads=1)
    yield Quantised(model)
    model.close()


@pytest.mark.slow
def test_an_answer_is_the_same_whatever_was_before(tiny: Any) -> None:
    cloud = InProcess(tiny.model)
    first = tiny.steps(cloud, tiny.prompt, 12)
    tokens = [step[0] for step in first]
    for before in (tiny.prompt, tiny.other, tiny.prompt[:20], [*tiny.prompt, *tokens[:3], 65]):
        tiny.steps(cloud, before, 5)
        assert tiny.steps(cloud, tiny.prompt, 12) == first
    for given in (1, 4, 7, 11):  # taken up again, with nothing in memory and with all
        fresh = InProcess(tiny.model)
        rest = [*tiny.prompt, *tokens[:given]]
        assert tiny.steps(fresh, rest, 12 - given) == first[given:]
        fresh.close()
        assert tiny.steps(cloud, rest, 12 - given) == first[given:]
        assert tiny.steps(cloud, rest, 1) == first[given : given + 1]


def test_the_small_model_forgets_earlier_answers(tiny: Any) -> None:
    pair = SlmPair(tiny.model)
    local = PairDelta(pair)
    private = tiny.model.tokenizer.chat([{"role": "user", "content": "my context, and a question"}])

    def deltas() -> Any:
        return [local.begin(tiny.prompt, private).tobytes(), local.advance(65).tobytes()]

    first = deltas()
    local.advance(70)
    local.advance(71)
    assert deltas() == first
    local.begin(tiny.other, tiny.prompt)
    assert deltas() == first
