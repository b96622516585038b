from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.decoding.plausibility import entropy, least_entropy
from costeer.decoding.steering import log_softmax


@given(seed=st.integers(0, 2**32), peak=st.floats(0, 20), k=st.integers(1, 50))
def test_the_least_entropy_of_the_top_is_at_most_the_whole(seed: Any, peak: Any, k: Any) -> None:
    row = log_softmax((peak * np.random.default_rng(seed).standard_normal(50)).astype(np.float32))
    top = np.sort(row)[::-1][:k]
    whole = entropy(row[None])[0]
    assert least_entropy(top) <= whole + 1e-4
    if k == 50:
        assert least_entropy(top) == pytest.approx(whole, abs=1e-3)


def test_known_rows() -> None:
    flat = np.full(256, -np.log(256), np.float32)
    assert entropy(flat[None])[0] == pytest.approx(np.log(256), abs=1e-5)
    assert least_entropy(flat[:64]) == pytest.approx(np.log(256), abs=1e-5)
    sure = np.array([0, -np.inf], np.float32)
    assert entropy(sure[None])[0] == least_entropy(sure) == 0


@pytest.mark.parametrize("row", [[0.0, 0.0], [np.nan, 0.0], [5.0]])
def test_what_is_no_row_is_as_flat_as_can_be(row: Any) -> None:
    assert least_entropy(np.array(row, np.float32)) == np.inf
