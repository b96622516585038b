"""Records are ranked by BM25 or by a cross-encoder, and ties keep their order."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from costeer_evals.retrieval import Bm25, CrossEncoder, best_first
from tests.support import tiny_torch

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
    assert Bm25().rank(query, records) == order


def test_equals_keep_their_order() -> None:
    assert best_first([0.5, 2, 0.5, 2]) == [1, 3, 0, 2]


def test_a_cross_encoder_ranks_by_its_raw_logits_whatever_the_batch() -> None:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    tokenizer = tiny_torch.tokenizer()
    tokenizer.padding_side = "right"
    model = tiny_torch.classifier(labels=1)
    records = ["a", "b c d", "c c", "d a b c", "b"]
    one_by_one = CrossEncoder(model, tokenizer, "tiny", batch_size=1)
    together = CrossEncoder(model, tokenizer, "tiny", batch_size=3)
    scores = one_by_one.scores("a d", records)
    assert np.allclose(scores, together.scores("a d", records), atol=1e-5)
    with torch.inference_mode():
        pair = torch.tensor([[5, 8, 2, 6]])  # a d [SEP] b
        assert scores[4] == pytest.approx(float(model(pair).logits), abs=1e-5)
    order = together.rank("a d", records)
    assert [scores[i] for i in order] == sorted(scores, reverse=True)
    assert together.rank("a", []) == []
