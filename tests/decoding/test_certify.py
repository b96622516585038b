"""A proven choice is the full vocabulary's choice."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costeer.decoding.certify import choose_certified
from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax, score
from costeer.exceptions import NotFiniteError


def top(base: Any, k: Any) -> Any:
    """The k likeliest as a server would send them; which of several equals is not promised."""
    ids = np.argsort(-base, kind="stable")[:k].astype(np.int32)
    return ids, base[ids]


@st.composite
def problems(draw: Any) -> Any:
    width = draw(st.integers(1, 40))
    value = st.one_of(
        st.sampled_from([0.0, 1.0, 2.0, -30.0, -np.inf]), st.floats(-20, 20, width=32)
    )
    base = draw(arrays(np.float32, width, elements=value).filter(lambda x: np.isfinite(x).any()))
    delta = draw(
        arrays(
            np.float32,
            width,
            elements=st.one_of(st.sampled_from([0.0, 1.0]), st.floats(-8, 8, width=32)),
        )
    )
    sampling = SamplingParams(
        temperature=draw(st.sampled_from([0.0, 0.3, 0.7, 1.0, 1.5])),
        top_p=draw(st.sampled_from([1.0, 0.95, 0.5, 0.1])),
        seed=draw(st.integers(0, 1000)),
    )
    gain = draw(st.sampled_from([0.0, 0.476, 1.0, 1.783, -0.5]))
    return log_softmax(base), delta, gain, sampling, draw(st.integers(1, width))


@pytest.mark.slow
@given(problems())
def test_a_proven_choice_is_the_full_vocabularys(problem: Any) -> None:
    base, delta, gain, sampling, k = problem
    noise = gumbel(sampling.seed, 0, base.size)
    full = choose(score(base, delta, gain), sampling, noise)
    choice = choose_certified(*top(base, k), delta, gain, sampling, noise)
    if choice.proven:
        assert choice.token == full
    if k == base.size:
        assert choice.proven


@pytest.mark.slow
@pytest.mark.parametrize(
    "sampling",
    [SamplingParams(), SamplingParams(1.0, 1.0, 1), SamplingParams(1.0, 0.9, 1)],
    ids=["greedy", "temperature", "top-p"],
)
def test_widening_ends_and_most_steps_need_little(sampling: Any) -> None:
    rng = np.random.default_rng(4)
    proven_at_64 = 0
    for position in range(40):
        base = log_softmax(rng.normal(size=5000) * 4)
        delta = rng.normal(size=5000).astype(np.float32) * 0.5
        noise = gumbel(1, position, 5000)
        k = 64
        while not (choice := choose_certified(*top(base, k), delta, 0.476, sampling, noise)).proven:
            k = min(2 * k, 5000)
        proven_at_64 += k == 64
        assert choice.token == choose(score(base, delta, 0.476), sampling, noise)
    assert proven_at_64 > 0


def test_a_tie_with_the_bound_is_not_proven() -> None:
    base = np.log(np.array([0.5, 0.25, 0.25], np.float32))
    delta = np.array([0.0, 0.0, np.log(2)], np.float32)
    choice = choose_certified(*top(base, 1), delta, 1.0, SamplingParams())
    assert choice.token == 0
    assert not choice.proven


def test_padding_ids_are_ignored() -> None:
    ids = np.array([7, 1, 0], np.int32)  # the device has two tokens
    choice = choose_certified(
        ids, np.array([-0.1, -3, -4], np.float32), np.zeros(2, np.float32), 1.0, SamplingParams()
    )
    assert (choice.token, choice.proven) == (1, True)
    with pytest.raises(NotFiniteError, match="no log-probability of a real token"):
        choose_certified(
            ids[:1], np.zeros(1, np.float32), np.zeros(2, np.float32), 1.0, SamplingParams()
        )


def test_nan_is_an_error_not_a_token() -> None:
    ids = np.array([0, 1], np.int32)
    fine = np.zeros(4, np.float32)
    broken = np.array([0, np.nan], np.float32)
    with pytest.raises(NotFiniteError, match="cloud sent NaN"):
        choose_certified(ids, broken, fine, 1.0, SamplingParams())
    with pytest.raises(NotFiniteError, match="delta holds NaN"):
        choose_certified(
            ids, fine[:2], np.array([0, 0, np.nan, 0], np.float32), 1.0, SamplingParams()
        )


@st.composite
def close_problems(draw: Any) -> Any:
    """Two scores, one unit in the last place apart, of which many are equal after the division."""
    temperature = draw(st.sampled_from([0.7, 0.8, 0.9, 1.1, 1.3]))
    level = np.float32(draw(st.floats(-2.5, -1.5, width=32)))
    base = np.array([level, level, np.log(0.5), level + np.float32(0.05)], np.float32)
    delta = np.array([-10, draw(st.floats(0.3125, 0.5, width=32)), 0, 0], np.float32)
    outside = base[1] + delta[1]
    inside = np.nextafter(outside, np.float32(0))
    delta[3] = inside - base[3]
    return base, delta, SamplingParams(temperature, draw(st.floats(0.4, 0.9)))


@given(close_problems())
def test_scores_that_the_temperature_makes_equal_are_ranked_by_id(problem: Any) -> None:
    base, delta, sampling = problem
    noise = np.array([0, 0, 0, 9], np.float32)
    choice = choose_certified(*top(base, 3), delta, 1.0, sampling, noise)
    if choice.proven:
        assert choice.token == choose(base + delta, sampling, noise)


@pytest.mark.parametrize("bound", [-700, -735, -744, -746, -1000])
def test_top_p_with_a_remainder_that_is_no_number(bound: Any) -> None:
    base, delta = np.array([0, bound], np.float32), np.zeros(10, np.float32)
    sampling = SamplingParams(0.7, 0.9)
    ids = np.arange(2, dtype=np.int32)
    assert choose_certified(ids, base, delta, 1.0, sampling, np.zeros(10, np.float32)).token == 0
