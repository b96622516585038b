"""Records are ranked by BM25, and ties keep their order."""

from __future__ import annotations

from typing import Any

import pytest

from costeer_evals.retrieval import rank_records

RECORDS = ["a dinner of chili", "sailing at dawn, sailing at dusk", "", "the sailing club's dinner"]


@pytest.mark.parametrize(
    ("query", "records", "order"),
    [
        ("sailing", RECORDS, [1, 3, 0, 2]),
        ("Sailing dinner", RECORDS, [3, 1, 0, 2]),
        ("nothing known", RECORDS, [0, 1, 2, 3]),
        ("", RECORDS, [0, 1, 2, 3]),
        ("the of a", RECORDS, [0, 1, 2, 3]),  # stop words alone
        ("sailing", ["", "a"], [0, 1]),
        ("sailing", ["same sailing", "same sailing"], [0, 1]),
        ("sailing", ["one"], [0]),
        ("sailing", [], []),
    ],
)
def test_bm25(query: Any, records: Any, order: Any) -> None:
    pytest.importorskip("bm25s", reason="bm25s is not installed")
    assert rank_records(query, records) == order
