"""Temperatures fitted on other texts, and the gap closed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer.decoding.steering import log_softmax
from costeer.exceptions import NotFiniteError, ParameterError
from costeer_evals.metrics.calibration import (
    Likelihood,
    calibrate,
    fit_temperature,
    folds_of,
    gap_closed,
    nll_at,
    uncalibrated,
)
from costeer_evals.metrics.likelihood import TextScores, score_tokens


def texts(
    count: int = 12, sharpness: float = 1.6, seed: int = 0, tokens: int = 15, width: int = 50
) -> list[TextScores]:
    """Texts drawn from a policy that is surer of itself, by ``sharpness``, than it should be."""
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(count):
        logits = 2 * rng.standard_normal((tokens, width))
        true = np.exp(log_softmax(logits).astype(np.float64))
        targets = np.array([rng.choice(width, p=p / p.sum()) for p in true])
        drawn.append(score_tokens(log_softmax(sharpness * logits), targets).summed())
    return drawn


@pytest.mark.slow
def test_an_overconfident_policy_is_cooled() -> None:
    many = texts(count=40)
    assert fit_temperature(many) == pytest.approx(1.6, abs=0.15)
    assert calibrate(many).mean < uncalibrated(many).mean - 0.1


def test_a_text_has_no_part_in_its_own_temperature() -> None:
    scored = texts()
    fold = folds_of(12, None, 4, seed=5)
    result = calibrate(scored, folds=4, seed=5)
    for k in range(4):
        others = [text for text, f in zip(scored, fold, strict=True) if f != k]
        assert result.temperatures[k] == pytest.approx(fit_temperature(others))
        for i in np.flatnonzero(fold == k):
            assert result.nll[i] == pytest.approx(nll_at(scored[i], result.temperatures[k]))
    assert result.tokens.tolist() == [15] * 12


def test_folds_are_even_keep_groups_whole_and_follow_the_seed() -> None:
    groups = [f"q{i // 4}" for i in range(40)]
    fold = folds_of(40, groups, 5, seed=0)
    assert all(len(set(fold[4 * q : 4 * q + 4])) == 1 for q in range(10))
    assert np.bincount(fold).tolist() == [8] * 5
    assert np.array_equal(fold, folds_of(40, groups, 5, seed=0))
    assert not np.array_equal(fold, folds_of(40, groups, 5, seed=1))
    for folds in (1, 11):
        with pytest.raises(ParameterError, match="folds"):
            folds_of(40, groups, folds, seed=0)


@pytest.mark.parametrize(("sharpness", "end"), [(0.01, 0.5), (40.0, 4.0)])
def test_a_temperature_stays_on_the_grid(sharpness: float, end: float) -> None:
    assert fit_temperature(texts(sharpness=sharpness)) == pytest.approx(end)


def likelihood(values: Any) -> Likelihood:
    nll = np.asarray(values, np.float64)
    return Likelihood(nll, np.ones(nll.size, np.int64), np.ones(1))


def test_the_gap() -> None:
    without, with_context = likelihood([10, 20, 30]), likelihood([6, 16, 26])
    for values, share in (
        ([10, 20, 30], 0),
        ([6, 16, 26], 1),
        ([8, 18, 28], 0.5),
        ([4, 14, 24], 1.5),
    ):
        interval = gap_closed(without, likelihood(values), with_context, resamples=500)
        assert interval.estimate == pytest.approx(share)
        assert interval.low == interval.high == pytest.approx(share)


def test_texts_that_disagree_widen_the_interval() -> None:
    rng = np.random.default_rng(0)
    base = 100 + rng.normal(0, 20, 60)
    gap = rng.normal(10, 5, 60)
    method = likelihood(base - gap * rng.normal(0.5, 0.4, 60))
    interval = gap_closed(likelihood(base), method, likelihood(base - gap))
    assert interval.low < interval.estimate < interval.high
    assert interval.low > 0.3 and interval.high < 0.7


def test_without_a_gap_no_share_is_finite() -> None:
    interval = gap_closed(likelihood([5, 5]), likelihood([4, 4]), likelihood([6, 6]))
    assert interval.estimate == np.inf


def test_what_cannot_be_compared_is_an_error() -> None:
    with pytest.raises(ParameterError, match="same texts"):
        gap_closed(likelihood([1]), likelihood([1, 2]), likelihood([1]))
    with pytest.raises(NotFiniteError):
        gap_closed(likelihood([2]), likelihood([np.inf]), likelihood([1]))
