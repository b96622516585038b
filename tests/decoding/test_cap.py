"""The cap on the likelihood ratio, token by token. Over whole answers: tests/edge/test_cap."""

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.cap import MARGIN, STEP, law
from costeer.exceptions import NotFiniteError, ParameterError

rows = st.lists(st.floats(-25, 0), min_size=1, max_size=12).map(
    lambda logs: np.array(logs, np.float32)
)


@pytest.mark.slow
@given(
    row=rows,
    up=st.floats(0, STEP),
    down=st.floats(0, STEP),
    strength=st.floats(0, 200),
    temperature=st.floats(0.05, 4),
    top_p=st.floats(0.05, 1),
    seed=st.integers(0, 2**32),
)
def test_no_ratio_leaves_the_box(
    row: Any, up: Any, down: Any, strength: Any, temperature: Any, top_p: Any, seed: Any
) -> None:
    bonus = strength * np.random.default_rng(seed).standard_normal(row.size).astype(np.float32)
    drawn = law(np.arange(row.size, dtype=np.int32), row, bonus, up, down, temperature, top_p)
    plain, steered = int(drawn.plain.sum()), int(drawn.steered.sum())
    for index, (with_context, without) in enumerate(zip(drawn.steered, drawn.plain, strict=True)):
        exact = Fraction(int(with_context) * plain, int(without) * steered)
        assert -down <= math.log(exact) <= up
        assert drawn.log_ratio(index) == pytest.approx(math.log(exact), abs=1e-12)


@pytest.mark.slow
@given(row=rows, top_p=st.floats(0.05, 1), seed=st.integers(0, 2**32))
def test_who_is_a_candidate_is_public(row: Any, top_p: Any, seed: Any) -> None:
    rng, ids = np.random.default_rng(seed), np.arange(row.size, dtype=np.int32)
    one, other = (
        law(ids, row, 50 * rng.standard_normal(row.size).astype(np.float32), 1, 1, 0.7, top_p)
        for _ in range(2)
    )
    assert np.array_equal(one.ids, other.ids)
    assert np.array_equal(one.plain, other.plain)


def test_within_the_box_the_law_is_the_steered_one() -> None:
    ids, row = np.arange(3, dtype=np.int32), np.log(np.array([0.5, 0.3, 0.2], np.float32))
    bonus = np.array([0.1, -0.2, 0.3], np.float32)
    drawn = law(ids, row, bonus, STEP, STEP, 1.0)
    expected = np.exp(row.astype(float) + bonus)
    order = np.argsort(drawn.ids)
    assert (drawn.steered / drawn.steered.sum())[order] == pytest.approx(
        expected / expected.sum(), abs=1e-8
    )


@pytest.mark.parametrize(
    ("bonus", "up", "down"), [(5, 0, 1), (5, 1, 0), (0, 1, 2), (math.nan, 1, 1), (math.inf, 1, 1)]
)
def test_with_no_room_or_no_difference_the_law_is_the_plain_one(
    bonus: Any, up: Any, down: Any
) -> None:
    ids, row = np.arange(3, dtype=np.int32), np.log(np.array([0.5, 0.3, 0.2], np.float32))
    scores = np.array([bonus, -bonus if math.isfinite(bonus) else bonus, 0], np.float32)
    drawn = law(ids, row, scores, up, down, 1.0)
    assert np.array_equal(drawn.steered, drawn.plain)


def test_greedy_is_refused() -> None:
    with pytest.raises(ParameterError, match="sampling"):
        law(np.array([0], np.int32), np.zeros(1, np.float32), np.zeros(1, np.float32), 1, 1, 0.0)


@pytest.mark.parametrize("row", [[], [math.nan, 0.0], [-math.inf, -math.inf], [math.inf, 0.0]])
def test_a_row_that_is_none_is_refused(row: Any) -> None:
    ids = np.arange(len(row), dtype=np.int32)
    with pytest.raises(NotFiniteError):
        law(ids, np.array(row, np.float32), np.zeros(4, np.float32), 1, 1, 1.0)


def test_a_cloud_that_repeats_or_invents_ids_gains_nothing() -> None:
    ids = np.array([1, 1, 7, -3, 2], np.int32)
    drawn = law(ids, np.zeros(5, np.float32), np.ones(4, np.float32), 1, 1, 1.0)
    assert sorted(drawn.ids.tolist()) == [1, 2]
    assert MARGIN < 1e-8
