"""The gain and the delta, against Algorithm 1 as printed."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costeer.decoding.steering import (
    GainWarning,
    SteeringParams,
    delta,
    gain,
    log_softmax,
    score,
    steer,
)
from costeer.exceptions import ParameterError
from tests.support.oracle import algorithm_1

TABLE = {1: 0.4762, 2: 0.7317, 5: 1.1256, 10: 1.4488, 20: 1.7833, 60: 2.3243, 100: 2.5781}


@pytest.mark.parametrize(("steps", "expected"), TABLE.items())
def test_gain_at_the_papers_defaults(steps: Any, expected: Any) -> None:
    assert gain(SteeringParams(steps=steps)) == pytest.approx(expected, abs=5e-5)


def test_no_steps_give_no_gain() -> None:
    assert gain(SteeringParams(steps=0)) == 0.0


def test_gain_tends_to_beta_over_lam_minus_alpha() -> None:
    assert gain(SteeringParams(alpha=1, lam=2, steps=4000)) == pytest.approx(1.0, abs=1e-2)


@pytest.mark.parametrize(
    "bad",
    [
        {"lam": 0},
        {"lam": -1},
        {"eta": 0},
        {"eta": -3},
        {"steps": -1},
        {"steps": 1.5},
        {"alpha": -0.1},
        {"alpha": math.nan},
        {"beta": math.inf},
    ],
)
def test_parameters_out_of_range(bad: Any) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad))):
        SteeringParams(**bad)


def test_exploding_parameters_warn_and_say_what_to_change() -> None:
    with pytest.warns(GainWarning, match=r"alpha \(2\) at or below lam \(0\.1\)"):
        assert gain(SteeringParams(lam=0.1)) > 1e9
    with pytest.raises(ParameterError, match="overflows"):
        gain(SteeringParams(alpha=1e6, lam=1e-9, eta=1e9, steps=2000))


def log_probabilities(width: Any) -> Any:
    """Logits with ties, large values and -inf, at least one finite."""
    value = st.one_of(
        st.sampled_from([0.0, 1.0, -1.0, -50.0, 80.0, -np.inf]),
        st.floats(-100, 100, width=32),
    )
    rows = arrays(np.float32, width, elements=value)
    return rows.filter(lambda x: np.isfinite(x).any()).map(log_softmax)


@st.composite
def problems(draw: Any) -> Any:
    width = draw(st.integers(1, 12))
    params = SteeringParams(
        alpha=draw(st.floats(0, 3)),
        beta=draw(st.floats(-2, 2)),
        lam=draw(st.floats(0.5, 5)),
        eta=draw(st.floats(0.05, 50)),
        steps=draw(st.integers(0, 25)),
    )
    return params, *(draw(log_probabilities(width)) for _ in range(3))


@pytest.mark.slow
@given(problems())
def test_the_closed_form_is_algorithm_1(problem: Any) -> None:
    params, llm, slm_with, slm_without = problem
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GainWarning)
        g = gain(params)
    steered = steer(llm, delta(slm_with, slm_without), g)
    expected = algorithm_1(llm, slm_with, slm_without, params)
    assert steered.dtype == np.float32
    assert np.array_equal(np.isinf(steered), np.isinf(expected))
    finite = np.isfinite(expected)
    scale = 1 + np.abs(g) * np.abs(delta(slm_with, slm_without)).max() + np.abs(llm[finite]).max()
    assert np.abs(steered[finite] - expected[finite]).max() <= 4e-6 * scale
    assert np.exp(steered.astype(np.float64)).sum() == pytest.approx(1, abs=1e-5)


def test_inputs_are_left_alone_and_batches_work() -> None:
    rng = np.random.default_rng(0)
    base, with_, without = (log_softmax(rng.normal(size=(4, 50))) for _ in range(3))
    copies = base.copy(), with_.copy(), without.copy()
    together = steer(base, delta(with_, without), 0.7)
    for row in range(4):
        alone = steer(base[row], delta(with_[row], without[row]), 0.7)
        assert np.array_equal(alone, together[row])
    for before, after in zip(copies, (base, with_, without), strict=True):
        assert np.array_equal(before, after)


def test_a_gain_of_zero_is_the_large_model_alone() -> None:
    base = log_softmax(np.arange(5.0))
    assert np.array_equal(score(base, np.full(5, 9.0, np.float32), 0.0), base)
