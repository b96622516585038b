"""What a step says of its candidates is true of the whole vocabulary."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costeer import Costeer
from costeer.cloud.base import CloudStep
from costeer.cloud.in_process import InProcess
from costeer.decoding.steering import log_softmax
from costeer.edge.detail import describe
from costeer.models.fake import FakeModel

V = 30


def rows(seed: Any) -> Any:
    rng = np.random.default_rng(seed)
    return log_softmax(rng.normal(0, 3, V).astype(np.float32)), rng.normal(0, 1, V).astype("f4")


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, V), gain=st.floats(0, 4))
def test_bounds_hold_whatever_did_not_come(seed: Any, k: Any, gain: Any) -> None:
    base, delta = rows(seed)
    true = log_softmax(base.astype("f8") + gain * delta)
    ids = np.argsort(-base, kind="stable")[:k].astype(np.int32)
    detail = describe(CloudStep(int(ids[0]), ids, base[ids]), delta, gain, int(ids[0]), 10)
    for one in (detail.chosen, *detail.llm, *detail.steered):
        assert one.before == pytest.approx(base[one.token])
        assert one.at_least - 1e-4 <= true[one.token] <= one.after + 1e-4
        if one.certain:
            assert all(
                base[i] + gain * delta[i] <= base[one.token] + gain * delta[one.token] + 1e-5
                for i in range(V)
                if i not in ids
            )
    assert [one.token for one in detail.llm] == ids[:10].tolist()
    afters = [one.after for one in detail.steered]
    assert afters == sorted(afters, reverse=True)
    assert len(detail.steered) == min(k, 10)


def test_with_the_whole_vocabulary_nothing_is_a_bound() -> None:
    base, delta = rows(1)
    ids = np.argsort(-base).astype(np.int32)
    detail = describe(CloudStep(int(ids[0]), ids, base[ids]), delta, 1.0, int(ids[3]), 5)
    assert detail.chosen.token == ids[3]
    assert all(one.after == one.at_least and one.certain for one in detail.steered)


def test_padding_and_impossible_tokens_are_left_out() -> None:
    base = np.array([0.0, -np.inf, -5.0], np.float32)
    ids = np.array([1, 0, 99], np.int32)
    detail = describe(CloudStep(1, ids, base), np.zeros(4, np.float32), 1.0, 1, 5)
    assert [one.token for one in detail.llm] == [one.token for one in detail.steered] == [1]


def test_steps_are_described_only_when_asked_for() -> None:
    with Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), strength=1.0) as costeer:
        plain = list(costeer.stream("Q?", "A context.", max_tokens=10))
        asked = list(costeer.stream("Q?", "A context.", max_tokens=10, candidates=10))
    assert all(chunk.step.detail is None for chunk in plain)
    for chunk in asked:
        detail = chunk.step.detail
        assert detail.chosen.token == detail.steered[0].token == chunk.step.token
        assert detail.llm[0].token == chunk.step.llm_token
        assert len(detail.llm) == len(detail.steered) == 10
