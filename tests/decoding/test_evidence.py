"""What a token tells, against the definition on whole rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.evidence import nats_for_context
from costeer.decoding.sampling import SamplingParams
from costeer.decoding.steering import log_softmax

GREEDY = SamplingParams()


@given(seed=st.integers(0, 2**32), temperature=st.floats(0.2, 3), token=st.integers(0, 7))
def test_sampled_it_is_the_log_likelihood_ratio(seed: Any, temperature: Any, token: Any) -> None:
    rng = np.random.default_rng(seed)
    row = log_softmax((3 * rng.standard_normal(8)).astype(np.float32))
    bonus = rng.standard_normal(8).astype(np.float32)
    ids = rng.permutation(8).astype(np.int32)
    with_context = log_softmax((row + bonus) / temperature)[token]
    without = log_softmax(row / temperature)[token]
    told = nats_for_context(ids, row[ids], bonus, SamplingParams(temperature), token)
    assert told == pytest.approx(with_context - without, abs=1e-3)


@given(seed=st.integers(0, 2**32))
def test_greedy_it_is_the_divergence_and_never_negative(seed: Any) -> None:
    rng = np.random.default_rng(seed)
    row = log_softmax((3 * rng.standard_normal(8)).astype(np.float32))
    bonus = rng.standard_normal(8).astype(np.float32)
    steered = log_softmax(row + bonus)
    divergence = float((np.exp(steered) * (steered - row)).sum())
    told = nats_for_context(np.arange(8, dtype=np.int32), row, bonus, GREEDY, 0)
    assert told == pytest.approx(divergence, abs=1e-4)
    assert told >= -1e-9


@pytest.mark.parametrize("sampling", [GREEDY, SamplingParams(1.0)])
def test_no_difference_tells_nothing(sampling: Any) -> None:
    row = np.log(np.array([0.5, 0.5], np.float32))
    ids = np.array([0, 9], np.int32)  # one of them is padding
    for bonus in (0.0, 3.0):  # the same for every token
        told = nats_for_context(ids, row, np.full(4, bonus, np.float32), sampling, 0)
        assert told == pytest.approx(0, abs=1e-6)
