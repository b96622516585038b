"""The latest rows are remembered, and nothing else."""

from __future__ import annotations

import numpy as np

from costeer.cloud.row_cache import RowCache

CALLS = [(0, 1), (1, 2)]


def test_the_latest_rows_by_what_they_follow() -> None:
    cache = RowCache(rows=2)
    rows = [np.full(3, i, np.float32) for i in range(3)]
    for i, row in enumerate(rows):
        cache.put((1, i), CALLS, row)
    assert cache.get((1, 0), CALLS) is None  # the oldest made room
    assert cache.get([1, 1], CALLS) is rows[1]
    assert cache.get((1, 2), CALLS) is rows[2]
    cache.put((1, 2), CALLS, rows[0])
    assert cache.get((1, 2), CALLS) is rows[0]
    assert cache.get((1,), CALLS[:1]) is None


def test_a_row_of_other_calls_is_not_given() -> None:
    cache = RowCache()
    cache.put((1, 2), [(0, 2), (0, 2)], np.zeros(3, np.float32))
    assert cache.get((1, 2), CALLS) is None
    assert cache.get((1, 2), None) is not None
    assert cache.get((1, 3), None) is None
