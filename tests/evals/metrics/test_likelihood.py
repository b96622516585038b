"""What is kept of rows, against the rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.steering import log_softmax
from costeer.exceptions import NotFiniteError, ParameterError
from costeer_evals.metrics.calibration import fit_temperature, nll_at
from costeer_evals.metrics.likelihood import GRID, score_tokens


def rows(seed: int, n: int = 6, width: int = 200, scale: float = 3.0) -> tuple[Any, ...]:
    rng = np.random.default_rng(seed)
    return log_softmax(scale * rng.standard_normal((n, width))), rng.integers(0, width, n)


def exact_nll(
    logprobs: npt.NDArray[Any], targets: npt.NDArray[Any], temperature: Any
) -> npt.NDArray[Any]:
    """(n,) by the definition, in float64."""
    scaled = logprobs.astype(np.float64) / temperature
    peak = scaled.max(axis=1, keepdims=True)
    total = peak[:, 0] + np.log(np.exp(scaled - peak).sum(axis=1))
    return total - scaled[np.arange(len(targets)), targets]


def test_what_is_kept_is_what_the_rows_say() -> None:
    logprobs, targets = rows(0)
    other, _ = rows(1)
    kept = score_tokens(logprobs, targets, other)
    p = np.exp(logprobs.astype(np.float64))
    assert np.array_equal(kept.nll(), -logprobs[np.arange(6), targets].astype(np.float64))
    assert np.allclose(kept.entropy, -(p * logprobs).sum(axis=1), atol=1e-4)
    assert np.allclose(kept.kl, (p * (logprobs - other)).sum(axis=1), atol=1e-4)
    assert np.array_equal(kept.hit, logprobs.argmax(axis=1) == targets)
    for k, inverse in enumerate(GRID):
        powers = np.exp(inverse * logprobs.astype(np.float64))
        assert np.allclose(kept.log_partition[:, k], np.log(powers.sum(axis=1)), atol=1e-4)
        mean = (powers * logprobs).sum(axis=1) / powers.sum(axis=1)
        assert np.allclose(kept.mean_logprob[:, k], mean, atol=1e-3)
    assert len(kept) == 6 and kept.target.dtype == np.float32


def test_a_policy_does_not_diverge_from_itself_and_none_is_not_a_number() -> None:
    logprobs, targets = rows(2)
    assert np.allclose(score_tokens(logprobs, targets, logprobs).kl, 0, atol=1e-6)
    assert np.isnan(score_tokens(logprobs, targets).kl).all()


@given(
    seed=st.integers(0, 10_000),
    scale=st.floats(0.1, 6),
    temperature=st.floats(0.5, 4),
    width=st.sampled_from([2, 30, 1000]),
)
def test_every_temperature_follows_from_what_is_kept(
    seed: int, scale: float, temperature: float, width: int
) -> None:
    logprobs, targets = rows(seed, width=width, scale=scale)
    for i in range(len(targets)):
        one = slice(i, i + 1)
        kept = score_tokens(logprobs[one], targets[one])
        exact = exact_nll(logprobs[one], targets[one], temperature)[0]
        error = 1e-3 if temperature < 1.6 else 1e-2
        assert nll_at(kept.summed(), temperature) == pytest.approx(exact, abs=error)


@pytest.mark.slow
@given(seed=st.integers(0, 10_000), scale=st.floats(0.5, 5), true=st.floats(0.6, 3))
def test_the_fitted_temperature_is_the_best(seed: int, scale: float, true: float) -> None:
    """Against a golden-section search on the exact value; the truth is drawn at ``true``."""
    logprobs, _ = rows(seed, n=60, scale=scale)
    rng = np.random.default_rng(seed + 1)
    tempered = np.exp(log_softmax(logprobs / true).astype(np.float64))
    targets = np.array([rng.choice(200, p=p / p.sum()) for p in tempered])
    kept = score_tokens(logprobs, targets)

    def exact(inverse: Any) -> Any:
        return exact_nll(logprobs, targets, 1 / inverse).sum()

    low, high = GRID[0], GRID[-1]
    golden = (np.sqrt(5) - 1) / 2
    for _ in range(50):
        a, b = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, b) if exact(a) < exact(b) else (a, high)
    fitted = fit_temperature([kept.summed()])
    assert exact(1 / fitted) <= exact((low + high) / 2) + 60 * 1e-4
    assert 1 / fitted == pytest.approx((low + high) / 2, abs=0.02)


def test_a_token_ruled_out_elsewhere_does_no_harm() -> None:
    logprobs = log_softmax(np.array([[0.0, 1.0, -np.inf], [2.0, 0.0, 1.0]], np.float32))
    kept = score_tokens(logprobs, np.array([1, 0]), logprobs[::-1].copy())
    assert np.isfinite(kept.log_partition).all() and np.isfinite(kept.mean_logprob).all()
    assert kept.kl[0] < 10 < kept.kl[1]  # the second policy uses what the other rules out
    exact = exact_nll(logprobs, np.array([1, 0]), 1.5).sum()
    assert nll_at(kept.summed(), 1.5) == pytest.approx(exact, abs=1e-3)


def test_a_reference_ruled_out_has_no_likelihood() -> None:
    logprobs = log_softmax(np.array([[0.0, 1.0, -np.inf]], np.float32))
    kept = score_tokens(logprobs, np.array([2]))
    assert kept.nll()[0] == np.inf
    with pytest.raises(NotFiniteError, match="compare it by the texts"):
        nll_at(kept.summed(), 1.5)


def test_a_text_without_tokens() -> None:
    empty = score_tokens(np.empty((0, 5), np.float32), np.empty(0, np.int64))
    assert len(empty) == 0 and empty.nll().sum() == 0


@pytest.mark.parametrize(
    ("targets", "other"),
    [([0, 1], None), ([0, 1, 200], None), ([0, 1, -1], None), ([0, 1, 2], np.zeros((3, 5)))],
)
def test_what_does_not_fit_is_an_error(targets: list[int], other: npt.NDArray[Any] | None) -> None:
    logprobs, _ = rows(0, n=3)
    with pytest.raises(ParameterError):
        score_tokens(logprobs, np.array(targets), other)


def test_a_temperature_beyond_the_grid_is_an_error() -> None:
    logprobs, targets = rows(0)
    for temperature in (0.4, 4.1, 0.0, -1.0):
        with pytest.raises(ParameterError, match=r"from 0\.5 to 4"):
            nll_at(score_tokens(logprobs, targets).summed(), temperature)
