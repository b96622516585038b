"""Baselines without a model."""

from __future__ import annotations

import pytest

from costeer_evals.baselines import BASELINES, TWIN_OVERLAP, nearest_record
from costeer_evals.tasks.base import PastText, Sample

HISTORY = (PastText("a", "something else entirely"), PastText("b", "we sail the boat at dawn"))
SAMPLE = Sample("1", "Write.", "x", "we sail the boat at noon", group="1", history=HISTORY)


def test_copies() -> None:
    assert BASELINES["copy-query"](SAMPLE) == "Write."
    assert BASELINES["copy-first-record"](SAMPLE) == "something else entirely"
    alone = Sample("1", "Write.", "x", None, group="1")
    assert BASELINES["copy-first-record"](alone) == ""


def test_a_near_twin_is_found() -> None:
    pytest.importorskip("rouge_score", reason="rouge-score is not installed")
    assert nearest_record(SAMPLE) == pytest.approx(4 / 5) and TWIN_OVERLAP < 4 / 5
    assert nearest_record(Sample("1", "a", "b", "c", group="1")) == 0
