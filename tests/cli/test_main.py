"""Which commands there are."""

import sys

import pytest


def test_the_experiments_are_offered_with_their_extra_only(run, monkeypatch):
    for package in ("rouge_score", "nltk", "bm25s"):
        pytest.importorskip(package)
    assert "Run the benchmarks" in run("--help")[1]
    assert run("eval", "--help")[0] == 0
    monkeypatch.setitem(sys.modules, "rouge_score", None)  # as Python has it for what is missing
    _, out, _ = run("--help")
    assert "Run the benchmarks" not in out
    assert "doctor" in out
    code, out, err = run("eval", "table", "scores.jsonl")
    assert (code, out) == (1, "")
    assert 'pip install "costeer[evals]"' in err
