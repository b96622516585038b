"""The top k of a row, and the step made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from costeer.cloud.topk import top_k
from costeer.exceptions import NotFiniteError


@pytest.mark.parametrize(
    ("row", "k", "ids"),
    [
        ([-1, -2, -3], 2, [0, 1]),
        ([-3, -2, -1], 2, [2, 1]),
        ([-1, -1, -1, -1], 2, [0, 1]),
        ([-2, -1, -1, -2, -1, -2], 4, [1, 2, 4, 0]),
        ([-np.inf, -1, -np.inf], 3, [1, 0, 2]),
        ([-np.inf, -np.inf], 1, [0]),
        ([-1, -2], 9, [0, 1]),
        ([-1, -2], 0, []),
    ],
)
def test_top_k(row: Any, k: int, ids: Any) -> None:
    found, values = top_k(np.asarray(row, np.float32), k)
    assert found.tolist() == ids
    assert (found.dtype, values.dtype) == (np.int32, np.float32)
    assert values.tolist() == [row[i] for i in ids]


@given(
    # few distinct values, so that ties are the rule
    arrays(np.float32, st.integers(1, 60), elements=st.sampled_from([-np.inf, -3.0, -1.5, -0.5])),
    st.integers(1, 70),
)
def test_top_k_is_a_stable_sort(row: npt.NDArray[Any], k: int) -> None:
    ids, values = top_k(row, k)
    expected = np.argsort(-row, kind="stable")[:k]
    assert ids.tolist() == expected.tolist()
    assert values.tolist() == row[expected].tolist()
    assert ids[0] == np.argmax(row)


def test_top_k_refuses_nan() -> None:
    with pytest.raises(NotFiniteError):
        top_k(np.asarray([-1, np.nan, -2], np.float32), 1)
