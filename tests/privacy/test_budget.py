"""Whatever is drawn, all answers together stay within the cap, also across crashes."""

import math
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ParameterError
from costeer.privacy.budget import Budget, pick_secretly
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile

IDS = np.arange(4, dtype=np.int32)
ROW = np.log(np.array([0.6, 0.3, 0.09, 0.01], np.float32))


@pytest.mark.parametrize("bad", [0, -1.0, math.nan, math.inf])
def test_epsilon_is_a_positive_number(tmp_path: Any, bad: Any) -> None:
    with pytest.raises(ParameterError, match="positive"):
        Budget(bad, Odometer(SpentFile(tmp_path)))


@pytest.mark.slow
@given(
    epsilon=st.floats(0.05, 8),
    steps=st.lists(st.tuples(st.integers(0, 3), st.booleans(), st.floats(-30, 30)), max_size=12),
)
def test_no_draw_and_no_crash_passes_the_cap(
    tmp_path_factory: Any, epsilon: Any, steps: Any
) -> None:
    folder = tmp_path_factory.mktemp("private")
    odometer, true = Odometer(SpentFile(folder)), 0.0
    for index, crash, strength in steps:
        budget = Budget(epsilon, odometer, lambda weights, index=index: index)
        bonus = strength * np.array([1, -1, 0.5, 2], np.float32)
        true += budget.choose(IDS, ROW, bonus, 1.0, 1.0)[1]
        assert abs(true) <= epsilon
        if crash:  # before the draw was written down
            odometer = Odometer(SpentFile(folder))
        assert -epsilon <= odometer.low <= true + 1e-9
        assert true - 1e-9 <= odometer.high <= epsilon


def test_a_dry_budget_draws_from_the_row_itself(tmp_path: Any) -> None:
    odometer, seen = Odometer(SpentFile(tmp_path)), []

    def highest(weights: Any) -> Any:
        seen.append(list(weights))
        return 3

    budget = Budget(0.5, odometer, highest)
    bonus = np.array([0, 0, 0, 9], np.float32)
    while not budget.dry:
        budget.choose(IDS, ROW, bonus, 1.0, 1.0)
    assert odometer.high == pytest.approx(0.5, abs=1e-6)
    budget.choose(IDS, ROW, bonus, 1.0, 1.0)
    assert np.array(seen[-1]) / sum(seen[-1]) == pytest.approx(np.exp(ROW), rel=1e-5)


def test_the_draw_is_secret_and_in_proportion() -> None:
    drawn = Counter(pick_secretly([1, 0, 3]) for _ in range(4000))
    assert drawn[1] == 0
    assert 800 < drawn[0] < 1200  # 7 standard deviations
