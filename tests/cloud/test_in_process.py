"""The large model in this process, without a socket."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer.cloud.in_process import InProcess
from costeer.exceptions import ContextLengthError, ModelError, NotFiniteError, ParameterError
from costeer.models.fake import END, FakeModel
from tests.support.serving import PROMPT, CountingModel, EndlessModel, FailingModel, same
from tests.support.unrepeatable import UnrepeatableModel


def test_continues_greedily() -> None:
    model = FakeModel()
    ids = list(PROMPT)
    for step in InProcess(model).stream(PROMPT, 5, 12):
        row = model.logprobs(ids)
        assert step.token == np.argmax(row)
        assert step.top_logprobs.tolist() == np.sort(row)[::-1][:5].tolist()
        ids.append(step.token)
    assert len(ids) == len(PROMPT) + 12


@pytest.mark.slow
def test_the_end_is_a_step() -> None:
    for seed in range(20):
        tokens = [s.token for s in InProcess(FakeModel(seed=seed)).stream(PROMPT, 1, 2000)]
        assert END not in tokens[:-1]
        if tokens[-1] == END:
            return
    pytest.fail("no answer of the fake model ended")


def test_reuses_what_is_evaluated() -> None:
    model = CountingModel()
    cloud = InProcess(model)
    first = list(cloud.stream(PROMPT, 4, 6))
    assert model.evaluated == len(PROMPT) + 5  # the last token is not evaluated
    model.evaluated = 0
    corrected = [*PROMPT, *(s.token for s in first[:3]), 65]
    again = list(cloud.stream(corrected, 4, 2))
    assert model.evaluated == 2  # the correction and one step
    assert same(again, list(InProcess(FakeModel()).stream(corrected, 4, 2)))
    assert model.opened == 1
    cloud.close()
    assert model.opened == 0


def test_asking_again_computes_nothing_where_rows_are_not_repeatable_either() -> None:
    model = UnrepeatableModel()
    cloud = InProcess(model)
    draft = cloud.stream(PROMPT, 4, 9)
    first = [next(draft) for _ in range(3)]
    model.evaluated = 0
    decided = [step.token for step in first[:2]]
    for position, step in enumerate(first):
        [again] = cloud.stream([*PROMPT, *decided[:position]], 8, 1)
        assert again.top_logprobs[:4].tolist() == step.top_logprobs.tolist()
    assert (model.evaluated, model.opened) == (0, 1)
    draft.close()


def test_long_prompts_are_fed_in_pieces() -> None:
    model = CountingModel(context_length=2000)
    prompt = [i % 256 for i in range(1200)]
    list(InProcess(model).stream(prompt, 1, 1))
    assert (model.evaluated, len(model.widths)) == (1200, 10)  # CHUNK is 128


def test_streams_may_overlap() -> None:
    model = CountingModel(max_sequences=2)
    cloud = InProcess(model)
    one, two = cloud.stream(PROMPT, 3, 8), cloud.stream([1, 2, 3], 3, 8)
    steps = [next(stream) for stream in (one, two, one, two)]
    assert same(steps[::2], list(InProcess(FakeModel()).stream(PROMPT, 3, 2)))
    with pytest.raises(ModelError):
        next(cloud.stream([5], 1, 1))
    one.close()
    two.close()
    assert len(list(cloud.stream([5], 1, 1))) == 1
    assert model.opened == 2


def test_ends_where_the_context_is_full() -> None:
    model = EndlessModel(context_length=20)
    assert len(list(InProcess(model).stream(PROMPT, 1, 50))) == 20 - len(PROMPT) + 1
    with pytest.raises(ContextLengthError):
        InProcess(model).stream([1] * 21, 1, 1)


@pytest.mark.parametrize(("prompt", "k", "n"), [([], 1, 1), ([1], 0, 1), ([1], 1, 0)])
def test_refuses_the_impossible(prompt: Any, k: int, n: int) -> None:
    with pytest.raises(ParameterError):
        InProcess(FakeModel()).stream(prompt, k, n)


def test_records_each_begun_stream_once() -> None:
    records = []
    cloud = InProcess(FakeModel(), records.append)
    list(cloud.stream(PROMPT, 1, 3))
    early = cloud.stream(PROMPT, 1, 3)
    next(early)
    early.close()
    cloud.stream(PROMPT, 1, 3).close()  # never begun
    assert [r.token_ids for r in records] == [tuple(PROMPT)] * 2
    assert {(r.bytes_up, r.bytes_down) for r in records} == {(0, 0)}


def test_recovers_after_a_failure() -> None:
    cloud = InProcess(FailingModel(None, len(PROMPT) + 2))
    with pytest.raises(NotFiniteError):
        list(cloud.stream(PROMPT, 1, 5))
    assert len(list(cloud.stream(PROMPT, 1, 2))) == 2


def test_info() -> None:
    model = FakeModel()
    info = InProcess(model).info()
    assert (info.vocab_size, info.max_top_k, info.context_length) == (320, 320, 4096)
    assert info.fingerprint == model.tokenizer.vocabulary.fingerprint
