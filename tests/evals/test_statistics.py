"""Intervals and tests, against enumeration and known values."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ParameterError
from costeer_evals.statistics import (
    holm,
    paired_bootstrap,
    percentile,
    resampled_sums,
    sign_flip_test,
    wilson,
)


def test_a_bootstrap_is_what_all_resamples_give() -> None:
    """Three examples have 27 equally likely resamples."""
    values = [0.0, 1.0, 5.0]
    means = np.sort([np.mean(drawn) for drawn in product(values, repeat=3)])
    interval = paired_bootstrap(values, resamples=50_000, level=0.8)
    assert interval.estimate == pytest.approx(2)
    # The 10 % and 90 % points of the enumeration; no step of it lies near them.
    assert interval.low == pytest.approx(means[int(0.1 * 27)])
    assert interval.high == pytest.approx(means[int(0.9 * 27)])


@pytest.mark.slow
def test_a_bootstrap_of_many_is_near_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(0.3, 1, 400)
    interval = paired_bootstrap(values)
    half = 1.96 * values.std() / 20
    assert interval.low == pytest.approx(values.mean() - half, abs=0.01)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.01)


def test_a_seed_gives_one_interval() -> None:
    values = [0.1, -0.2, 0.4, 0.3]
    assert paired_bootstrap(values, seed=3) == paired_bootstrap(values, seed=3)
    assert paired_bootstrap(values, resamples=99) != paired_bootstrap(values, resamples=99, seed=1)


def test_groups_are_resampled_whole() -> None:
    """Four copies of each question say no more than one does."""
    values = [0.0, 1.0, 2.0, 5.0, -3.0]
    groups = [name for name in "abcde" for _ in range(4)]
    together = paired_bootstrap(np.repeat(values, 4), groups)
    assert together == paired_bootstrap(values)
    assert together.high - together.low > 1.5 * (
        (alone := paired_bootstrap(np.repeat(values, 4))).high - alone.low
    )


def test_groups_of_different_sizes_weigh_by_their_examples() -> None:
    assert paired_bootstrap([1.0, 1.0, 1.0, 5.0], list("aaab")).estimate == pytest.approx(2)
    sums = resampled_sums(np.array([[1.0], [1.0], [1.0], [5.0]]), list("aaab"), 200, 0)
    assert set(sums[:, 0]) == {6.0, 8.0, 10.0}


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=8))
def test_signs_are_flipped_in_every_way(values: Any) -> None:
    observed = abs(sum(values))
    all_signs = product((1, -1), repeat=len(values))
    sums = [abs(sum(s * v for s, v in zip(signs, values, strict=True))) for signs in all_signs]
    assert sign_flip_test(values) == pytest.approx(np.mean([s >= observed for s in sums]))


@pytest.mark.parametrize(
    ("values", "groups", "expected"),
    [
        ([1, 1, 1, 1, 1], None, 2 / 32),
        ([1, -1], None, 1),
        ([0, 0, 0], None, 1),
        ([1, 1, 1, 1], list("aabb"), 2 / 4),
        ([0.1, 0.2, 0.3], None, 2 / 8),  # 0.1 + 0.2 + 0.3 in another order is another float
        ([0.3, 0.1, 0.2], None, 2 / 8),
    ],
)
def test_exact_p_values(values: Any, groups: Any, expected: Any) -> None:
    assert sign_flip_test(values, groups) == expected


def test_random_signs_come_near_the_exact_value_and_never_to_zero() -> None:
    values = np.random.default_rng(0).normal(0.4, 1, 12)
    exact, random = sign_flip_test(values), sign_flip_test(values, flips=4000)
    assert random == pytest.approx(exact, abs=0.03)
    assert sign_flip_test(np.ones(100)) == 1 / 10_001


@pytest.mark.parametrize(
    ("raw", "adjusted"),
    [
        ([0.01, 0.04, 0.03], [0.03, 0.06, 0.06]),
        ([0.01, 0.02, 0.03, 0.04], [0.04, 0.06, 0.06, 0.06]),
        ([0.5, 0.9], [1.0, 1.0]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm(raw: Any, adjusted: Any) -> None:
    assert holm(raw) == pytest.approx(adjusted)


@given(st.lists(st.floats(0, 1), max_size=8))
def test_holm_lies_between_nothing_and_bonferroni_and_keeps_the_order(raw: Any) -> None:
    values, adjusted = np.array(raw), holm(raw)
    assert (adjusted >= values).all()
    assert (adjusted <= np.minimum(values * len(raw), 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(values, kind="stable")]) >= 0).all()


def test_ends_of_an_interval_may_be_infinite() -> None:
    assert percentile(1.0, np.array([-np.inf, 0.0, 1.0, np.inf]), 0.9).high == np.inf


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: paired_bootstrap([]),
        lambda: paired_bootstrap([1.0, np.nan]),
        lambda: paired_bootstrap([1.0, 2.0], ["a"]),
        lambda: paired_bootstrap([1.0, 2.0], level=95),
        lambda: sign_flip_test([]),
        lambda: holm([1.2]),
    ],
)
def test_what_cannot_be_computed_is_an_error(wrong: Any) -> None:
    with pytest.raises(ParameterError):
        wrong()


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (5, 10, 0.2366, 0.7634),
        (81, 263, 0.2553, 0.3662),
    ],
)
def test_wilson_against_published_values(successes: Any, count: Any, low: Any, high: Any) -> None:
    found = wilson(successes, count)  # the last: Newcombe 1998 (Stat. Med. 17), table I
    assert found.estimate == successes / count
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(("successes", "count"), [(0, 0), (3, 2), (-1, 2)])
def test_wilson_wants_counts(successes: Any, count: Any) -> None:
    with pytest.raises(ParameterError):
        wilson(successes, count)
