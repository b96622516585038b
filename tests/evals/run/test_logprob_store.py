"""Rows kept on disk: scores are the same with them, and no model runs."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.exceptions import InputError
from costeer_evals.run.experiment import ScoreConfig
from costeer_evals.run.job import run_job
from tests.support.tiny_runs import cogenesis, job

VARYING = {"run", "seconds"}


def run(
    tmp_path: Path, name: Any, names: Any = ("llm-without", "costeer:gain=0.5"), **options: Any
) -> Any:
    out = tmp_path / name
    source = cogenesis(tmp_path / "dev.json", 3)
    run_job(job(out, "cogenesis", source, ScoreConfig(rounded=True), names, **options))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in VARYING} for line in lines if "run" in line]


def model_seconds(path: Any) -> Any:
    """The time that the models of each row took, by branch."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    seconds = [line["seconds"] for line in lines if "seconds" in line]
    return {s for row in seconds for branch, s in row.items() if branch != "method"}


@pytest.mark.slow
def test_a_second_run_reads_no_model_and_gives_the_same(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    first = run(tmp_path, "a.jsonl", logprob_store=rows)
    assert len(list(rows.iterdir())) == 3 * 4  # samples, and the branches with that for the KL
    assert 0 not in model_seconds(tmp_path / "a.jsonl")
    assert run(tmp_path, "b.jsonl", logprob_store=rows) == first
    assert model_seconds(tmp_path / "b.jsonl") == {0}
    more = run(tmp_path, "c.jsonl", ("amulet:model=slm", "slm-with"), logprob_store=rows)
    assert len(more) == 6 and model_seconds(tmp_path / "c.jsonl") == {0}


@pytest.mark.slow
def test_rounding_moves_scores_little(tmp_path: Path) -> None:
    rounded = run(tmp_path, "a.jsonl", logprob_store=tmp_path / "rows")
    out = tmp_path / "b.jsonl"
    run_job(job(out, "cogenesis", tmp_path / "dev.json", names=("llm-without", "costeer:gain=0.5")))
    plain = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    for one, other in zip(rounded, plain, strict=True):
        assert one["method"] == other["method"]
        sums = [np.asarray(row["scores"]["log_partition"], float) for row in (one, other)]
        assert np.allclose(*sums, atol=0.002 * one["tokens"]["reference"])  # nats a token
        assert not np.array_equal(*sums)


@pytest.mark.slow
def test_damaged_or_foreign_files_are_computed_again(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    first = run(tmp_path, "a.jsonl", logprob_store=rows)
    for i, file in enumerate(sorted(rows.iterdir())):
        raw = file.read_bytes()
        file.write_bytes([raw[: len(raw) // 2], b"", b"text"][i % 3])
    assert run(tmp_path, "b.jsonl", logprob_store=rows) == first


def test_where_rows_cannot_be_kept(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be created"):
        run(tmp_path, "a.jsonl", logprob_store=tmp_path / "file" / "rows")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_what_is_written_is_for_its_owner_alone(tmp_path: Path) -> None:
    rows = tmp_path / "rows"
    run(tmp_path, "a.jsonl", logprob_store=rows)
    written = [tmp_path / "a.jsonl", *rows.iterdir()]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
