"""Sampling has the stated frequencies, and depends on seed and position alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import log_softmax
from costeer.exceptions import ParameterError

P = np.log(np.array([0.1, 0.4, 0.3, 0.2], np.float32))


def draws(sampling: Any, count: Any = 2_000, scores: Any = P) -> Any:
    chosen = [
        choose(scores, sampling, gumbel(sampling.seed, position, scores.size))
        for position in range(count)
    ]
    return np.bincount(chosen, minlength=scores.size) / count


@pytest.mark.slow
@pytest.mark.parametrize(
    ("temperature", "top_p", "expected"),
    [
        (1.0, 1.0, [0.1, 0.4, 0.3, 0.2]),
        (1.0, 0.9, [0, 4 / 9, 3 / 9, 2 / 9]),  # 0.4 + 0.3 + 0.2 reaches 0.9
        (1.0, 0.69, [0, 4 / 7, 3 / 7, 0]),
        (1.0, 0.4, [0, 1, 0, 0]),
        (1.0, 1e-9, [0, 1, 0, 0]),
        (0.5, 1.0, np.array([1, 16, 9, 4]) / 30),
        (1e-3, 1.0, [0, 1, 0, 0]),
        (0.0, 0.5, [0, 1, 0, 0]),
    ],
)
def test_frequencies(temperature: Any, top_p: Any, expected: Any) -> None:
    frequencies = draws(SamplingParams(temperature, top_p, seed=3))
    assert frequencies == pytest.approx(np.asarray(expected), abs=0.045)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [([1, 3, 3, 2], 1), ([5], 0), ([-np.inf, -np.inf, -4], 2), ([0, 0, 0], 0)],
)
def test_greedy(scores: Any, expected: Any) -> None:
    assert choose(np.array(scores, np.float32), SamplingParams()) == expected


def test_a_constant_added_to_the_scores_changes_nothing() -> None:
    scores = log_softmax(np.random.default_rng(0).normal(size=1000) * 3)
    sampling = SamplingParams(0.8, 0.9, seed=1)
    for position in range(50):
        noise = gumbel(1, position, 1000)
        assert choose(scores, sampling, noise) == choose(scores + 7, sampling, noise)


def test_noise_depends_on_seed_and_position_only() -> None:
    assert np.array_equal(gumbel(5, 2, 100), gumbel(5, 2, 100))
    assert not np.array_equal(gumbel(5, 2, 100), gumbel(5, 3, 100))
    assert not np.array_equal(gumbel(5, 2, 100), gumbel(6, 2, 100))
    sample = gumbel(2**64 - 1, 0, 200_000)
    assert sample.dtype == np.float32
    assert np.isfinite(sample).all()
    assert sample.mean() == pytest.approx(0.5772, abs=0.02)  # Euler's constant


@pytest.mark.parametrize(
    "bad",
    [
        {"temperature": -1},
        {"temperature": float("nan")},
        {"top_p": 0},
        {"top_p": 1.1},
        {"seed": -1},
        {"seed": 2**64},
    ],
)
def test_out_of_range(bad: Any) -> None:
    with pytest.raises(ParameterError, match=next(iter(bad)).split("_")[0]):
        SamplingParams(**bad)
