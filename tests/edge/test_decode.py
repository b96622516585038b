"""Both modes against Algorithm 1 on full vocabularies."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.base import CloudInfo, CloudStep
from costeer.cloud.in_process import InProcess
from costeer.decoding.auto import Auto, private_part
from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import score
from costeer.decoding.strength import AUTO
from costeer.edge.decode import DecodeParams, generate_step
from costeer.edge.prompts import Prompts
from costeer.edge.slm import SlmPair
from costeer.edge.verify import MODES
from costeer.exceptions import CloudProtocolError, ParameterError
from costeer.models.fake import FakeModel
from tests.support.steering import PairDelta, no_steering

PROMPTS = Prompts(public=(9, 1, 2, 3), plain=(1, 2, 3), private=(50, 51, 1, 2, 3))


def by_the_book(llm: Any, slm: Any, prompts: Any, params: Any, auto: bool = False) -> Any:
    """Algorithm 1 with full vocabularies, one position after another; or the rule "auto"."""
    decided = []
    rule = Auto(AUTO, private_part(prompts.plain, prompts.private)) if auto else None
    while len(decided) < params.max_tokens:
        base = llm.logprobs([*prompts.public, *decided])
        with_ = slm.logprobs([*prompts.private, *decided])
        without = slm.logprobs([*prompts.plain, *decided])
        noise = gumbel(params.sampling.seed, len(decided), base.size)
        scores = score(base, with_ - without, params.gain)
        if rule is not None:
            scores = base + rule.bonus(with_[None], without[None], decided)[0]
        decided.append(choose(scores, params.sampling, noise))
        if decided[-1] in params.eos_ids:
            break
    return decided


def decode(llm: Any, slm: Any, params: Any, prompts: Any = PROMPTS, auto: bool = False) -> Any:
    pair = SlmPair(slm)
    local = PairDelta(pair, "auto" if auto else 1.0)
    try:
        return list(generate_step(InProcess(llm), local, prompts, params))
    finally:
        pair.close()


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    gain=st.sampled_from([0.0, 0.476, 1.0, 1.783, -0.5]),
    top_k=st.sampled_from([1, 4, 64, 1000]),
    sampling=st.sampled_from(
        [SamplingParams(), SamplingParams(1.0, seed=3), SamplingParams(0.8, 0.9, seed=4)]
    ),
    mode=st.sampled_from(MODES),
)
def test_both_modes_are_algorithm_1_whatever_the_top_k(
    seed: Any, gain: Any, top_k: Any, sampling: Any, mode: Any
) -> None:
    llm, slm = FakeModel(seed=seed), FakeModel(seed=seed + 1)
    params = DecodeParams(gain, top_k, 12, sampling, llm.tokenizer.eos_ids, mode)
    steps = decode(llm, slm, params)
    assert [step.token for step in steps] == by_the_book(llm, slm, PROMPTS, params)
    assert all(step.proven for step in steps)


@pytest.mark.slow
@given(
    seed=st.integers(0, 10_000),
    top_k=st.sampled_from([1, 4, 64]),
    sampling=st.sampled_from([SamplingParams(), SamplingParams(0.8, 0.9, seed=4)]),
    mode=st.sampled_from(MODES),
)
def test_auto_is_the_full_vocabularys_choice_in_both_modes(
    seed: Any, top_k: Any, sampling: Any, mode: Any
) -> None:
    llm, slm = FakeModel(seed=seed), FakeModel(seed=seed + 1)
    prompts = Prompts(
        public=(9, 1, 2, 3), plain=(1, 2, 3), private=(1, *range(50, 90), 60, 61, 70, 2, 3)
    )
    params = DecodeParams(1.0, top_k, 12, sampling, llm.tokenizer.eos_ids, mode)
    steps = decode(llm, slm, params, prompts, auto=True)
    expected = by_the_book(llm, slm, prompts, params, auto=True)
    assert [step.token for step in steps] == expected
    assert all(step.proven for step in steps)


def test_a_gain_of_zero_is_the_llm_and_nothing_is_changed() -> None:
    llm = FakeModel(seed=1)
    params = DecodeParams(0.0, max_tokens=20)
    steps = list(generate_step(InProcess(llm), no_steering(), PROMPTS, params))
    alone = [step.token for step in InProcess(llm).stream(PROMPTS.public, 1, 20)]
    assert [step.token for step in steps] == alone
    assert not any(step.changed for step in steps)


def test_records() -> None:
    steps = decode(FakeModel(seed=1), FakeModel(seed=2), DecodeParams(1.0, 2, 15))
    assert [step.position for step in steps] == list(range(15))
    assert any(step.changed for step in steps)
    assert any(step.retries for step in steps)
    assert all(step.top_k >= 2 * 2**step.retries or step.top_k == 320 for step in steps)
    assert all(step.changed == (step.token != step.llm_token) for step in steps)


class Capped:
    """A server that never sends more than three log-probabilities."""

    def __init__(self, model: Any) -> None:
        self.inner = InProcess(model)
        self.asked = []

    def info(self) -> Any:
        return CloudInfo("capped")

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        self.asked.append(top_k)
        yield from self.inner.stream(prompt_ids, min(top_k, 3), max_tokens)

    def close(self) -> None:
        pass


@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_caps_k_gives_unproven_steps_not_endless_asking(mode: Any) -> None:
    cloud = Capped(FakeModel(seed=1))
    pair = SlmPair(FakeModel(seed=2))
    local = PairDelta(pair)
    steps = list(generate_step(cloud, local, PROMPTS, DecodeParams(1.0, 64, 10, mode=mode)))
    assert len(steps) == 10
    assert set(cloud.asked) == {64}
    assert any(not step.proven for step in steps)


class Meeting:
    """An LLM and a small model that each wait until the other is at work too."""

    def info(self) -> Any:
        return CloudInfo("meeting")

    def __init__(self) -> None:
        self.barrier = threading.Barrier(2)

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        self.barrier.wait(timeout=10)
        yield CloudStep(1, np.array([1, 2], np.int32), np.array([-0.1, -3], np.float32))

    def begin(self, public: Any, private: Any) -> Any:
        self.barrier.wait(timeout=10)
        return np.zeros(2, np.float32)


@pytest.mark.parametrize("mode", MODES)
def test_the_two_models_work_at_the_same_time(mode: Any) -> None:
    both = Meeting()
    assert len(list(generate_step(both, both, PROMPTS, DecodeParams(1.0, 2, 1, mode=mode)))) == 1


class Silent:
    """A server that ends every stream at once."""

    def info(self) -> Any:
        return CloudInfo("silent")

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        yield from ()


@pytest.mark.parametrize("mode", MODES)
def test_an_empty_stream_is_an_error_with_words(mode: Any) -> None:
    with pytest.raises(CloudProtocolError, match="without sending a token"):
        list(generate_step(Silent(), no_steering(), PROMPTS, DecodeParams(1.0, mode=mode)))


@pytest.mark.parametrize("bad", [{"top_k": 0}, {"max_tokens": 0}])
def test_out_of_range(bad: Any) -> None:
    with pytest.raises(ParameterError, match="at least 1"):
        DecodeParams(1.0, **bad)


def test_an_unknown_mode() -> None:
    with pytest.raises(ParameterError, match="no mode 'draft'"):
        DecodeParams(1.0, mode="draft")
