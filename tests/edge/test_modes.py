"""Run-ahead gives what lockstep gives, whatever the models, the batches and the timing.

By default a sample of cases; 1,000 each with ``make test-exact``.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.in_process import InProcess
from costeer.decoding.sampling import SamplingParams
from costeer.edge.decode import DecodeParams, generate_step
from costeer.edge.prompts import Prompts
from costeer.edge.slm import SlmPair
from costeer.edge.verify import MODES
from costeer.models.fake import FakeModel
from tests.support.steering import PairDelta, no_steering

pytestmark = pytest.mark.timeout(600)  # 1,000 cases on a busy machine


PROMPTS = Prompts(public=(9, 1, 2, 3), plain=(1, 2, 3), private=(50, 51, 1, 2, 3))
SAMPLINGS = [
    SamplingParams(),
    SamplingParams(0.7, seed=1),
    SamplingParams(1.0, 0.9, seed=2),
    SamplingParams(1.5, 0.5, seed=3),
]


class Uneven:
    """A cloud whose steps come in spells, so that the device finds any number of them."""

    def __init__(self, cloud: Any, seed: Any) -> None:
        self.cloud, self.random, self.asked = cloud, random.Random(seed), []
        self.info = cloud.info

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Any:
        self.asked.append((tuple(prompt_ids), top_k, max_tokens))
        return self._steps(prompt_ids, top_k, max_tokens)

    def _steps(self, prompt_ids: Any, top_k: Any, max_tokens: Any) -> Iterator[Any]:
        for step in self.cloud.stream(prompt_ids, top_k, max_tokens):
            if self.random.random() < 0.1:
                time.sleep(0.001)
            yield step


def tokens(llm: Any, slm: Any, params: Any, seed: Any = 0) -> Any:
    pair = SlmPair(slm)
    local = PairDelta(pair)
    try:
        cloud = Uneven(InProcess(llm), seed)
        return [step.token for step in generate_step(cloud, local, PROMPTS, params)]
    finally:
        pair.close()


def both(llm: Any, slm: Any, gain: Any, top_k: Any, length: Any, sampling: Any, seed: Any) -> Any:
    eos = llm.tokenizer.eos_ids
    waiting = DecodeParams(gain, top_k, length, sampling, eos, "lockstep")
    running = DecodeParams(gain, top_k, length, sampling, eos, "run-ahead")
    return tokens(llm, slm, waiting), tokens(llm, slm, running, seed)


CASES = {
    "seed": st.integers(0, 100_000),
    "gain": st.sampled_from([0.0, 0.2, 0.476, 1.0, 1.783, -0.5]),
    "top_k": st.sampled_from([1, 4, 64, 1000]),
    "length": st.integers(1, 40),
    "sampling": st.sampled_from(SAMPLINGS),
}


@pytest.mark.slow
@given(**CASES, peak=st.sampled_from([1.0, 3.0, 6.0]))
def test_on_the_fake(
    seed: Any, gain: Any, top_k: Any, length: Any, sampling: Any, peak: Any
) -> None:
    # The two share most of their rows, as a family of models does, so that many steps agree.
    llm, slm = FakeModel(seed=seed, peak=peak), FakeModel(seed=seed + 1, peak=0.5)
    lockstep, ahead = both(llm, slm, gain, top_k, length, sampling, seed)
    assert ahead == lockstep


@pytest.mark.slow
def test_accepted_steps_are_not_asked_for_again() -> None:
    llm = FakeModel(seed=5, peak=6.0)
    slow = SlowDelta(SlmPair(FakeModel(seed=6)))
    cloud = Uneven(InProcess(llm), 0)
    params = DecodeParams(0.02, 8, 120, eos_ids=llm.tokenizer.eos_ids)
    steps = list(generate_step(cloud, slow, PROMPTS, params))
    corrections = sum(step.corrected for step in steps)
    streams = [asked for asked in cloud.asked if asked[2] > 1]
    assert corrections < len(streams) < len(steps) / 3
    assert steps[-1].received >= len(steps)


class SlowDelta(PairDelta):
    """A small model slower than the cloud, so that drafted steps wait for it."""

    def advance(self, token: Any) -> Any:
        time.sleep(0.002)
        return super().advance(token)


@pytest.mark.slow
def test_a_retried_step_is_asked_for_alone_while_the_stream_goes_on() -> None:
    llm = FakeModel(seed=8, max_sequences=1)
    cloud = Uneven(InProcess(llm), 0)
    pair = SlmPair(FakeModel(seed=9))
    local = PairDelta(pair)
    params = DecodeParams(1.0, 2, 30, eos_ids=llm.tokenizer.eos_ids)
    steps = list(generate_step(cloud, local, PROMPTS, params))
    wider = [asked for asked in cloud.asked if asked[1] > 2]
    alone = [asked for asked in wider if asked[2] == 1]
    assert len(alone) >= sum(step.retries for step in steps) > 0
    streamed = [asked[1] for asked in wider if asked[2] > 1]  # the answer has learnt what it needs
    assert streamed and max(streamed) <= 8


class OneSlot(InProcess):
    """A server where a request waits for the one before it."""

    streams = beside = 0

    def info(self) -> Any:
        return replace(super().info(), queues=True)

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Any:
        asked_again = top_k > 1 and max_tokens == 1
        return self._counted(super().stream(prompt_ids, top_k, max_tokens), asked_again)

    def _counted(self, steps: Any, asked_again: Any) -> Iterator[Any]:
        if asked_again:
            self.beside = max(self.beside, self.streams)
        self.streams += 1
        try:
            yield from steps
        finally:
            self.streams -= 1


@pytest.mark.slow
def test_where_requests_queue_the_stream_is_left_before_a_position_is_asked_again() -> None:
    llm, slm = FakeModel(seed=8), FakeModel(seed=9)
    params = DecodeParams(0.1, 1, 40, eos_ids=llm.tokenizer.eos_ids, mode="lockstep")
    expected = list(generate_step(InProcess(llm), PairDelta(SlmPair(slm)), PROMPTS, params))
    cloud = OneSlot(llm)
    params = replace(params, mode="run-ahead")
    steps = list(generate_step(cloud, PairDelta(SlmPair(slm)), PROMPTS, params))
    assert [step.token for step in steps] == [step.token for step in expected]
    assert sum(step.retries for step in steps) > 0
    assert cloud.beside == 0


class Counting(FakeModel):
    """Counts the tokens it reads."""

    tokens = 0

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        self.tokens += sum(len(ids) for _, ids in work)
        return super().extend_many(work, rows)


@pytest.mark.parametrize("mode", MODES)
def test_a_second_turn_does_not_read_the_context_again(mode: Any) -> None:
    llm, slm = FakeModel(seed=1), Counting(seed=2)
    cloud, local = InProcess(llm), PairDelta(SlmPair(slm))
    context = tuple(range(100, 200))
    first = Prompts(public=(9, 1, 2, 3), plain=(1, 2, 3), private=(*context, 1, 2, 3))
    params = DecodeParams(1.0, max_tokens=20, mode=mode)
    answer = [step.token for step in generate_step(cloud, local, first, params)]
    more = (*answer, 7, 8, 9)
    second = Prompts(first.public + more, first.plain + more, first.private + more)
    slm.tokens = 0
    next(generate_step(cloud, local, second, params))
    assert slm.tokens <= 2 * (len(more) - len(answer) + 1) + 2


class FirstOnly:
    """A cloud that sends one step, then waits for the device to say that it has used it."""

    def __init__(self, model: Any) -> None:
        self.inner, self.used = InProcess(model), threading.Event()
        self.info = self.inner.info

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        for step in self.inner.stream(prompt_ids, top_k, max_tokens):
            yield step
            assert self.used.wait(10)


def test_the_first_token_is_never_held_back() -> None:
    cloud = FirstOnly(FakeModel(seed=1))
    steps = generate_step(cloud, PairDelta(SlmPair(FakeModel(seed=2))), PROMPTS, DecodeParams(0.1))
    assert next(steps).position == 0
    cloud.used.set()
    steps.close()


def test_leaving_early_closes_the_stream() -> None:
    llm = FakeModel(seed=1)
    cloud = InProcess(llm)
    steps = generate_step(cloud, no_steering(), PROMPTS, DecodeParams(0.0, max_tokens=4000))
    for _ in range(3):
        next(steps)
    steps.close()
    cloud.close()
    assert llm.opened == 0


class Padded(InProcess):
    """An LLM whose own choice is now and then an id of its padding."""

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Any:
        for i, step in enumerate(super().stream(prompt_ids, top_k, max_tokens)):
            if len(prompt_ids) + i == 8:
                ids = step.top_ids.copy()
                ids[0] = 400
                yield type(step)(400, ids, step.top_logprobs)
                return
            yield step


@pytest.mark.parametrize("mode", MODES)
def test_an_id_of_the_llms_padding_is_never_taken(mode: Any) -> None:
    params = DecodeParams(0.1, 64, 20, mode=mode)
    pair = SlmPair(FakeModel(seed=2))
    local = PairDelta(pair)
    steps = list(generate_step(Padded(FakeModel(seed=1)), local, PROMPTS, params))
    assert len(steps) == 20
    assert steps[5].token < 320
