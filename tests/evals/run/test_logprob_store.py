"""Rows kept on disk: scores are the same with them, and no model runs."""

import dataclasses
import json
import os

import numpy as np
import pytest

from costeer.exceptions import InputError, ParameterError
from costeer_evals.run import scoring
from costeer_evals.run.experiment import Scoring
from costeer_evals.run.job import execute
from tests.support.tiny_runs import cogenesis, job

VARYING = {"run", "seconds"}


def run(tmp_path, name, names=("llm-without", "costeer:gain=0.5"), **options):
    out = tmp_path / name
    source = cogenesis(tmp_path / "dev.json", 3)
    execute(job(out, "cogenesis", source, Scoring(rounded=True), names, **options))
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in VARYING} for line in lines if "run" in line]


def test_a_second_run_reads_no_model_and_gives_the_same(tmp_path, monkeypatch):
    rows = tmp_path / "rows"
    first = run(tmp_path, "a.jsonl", rows=rows)
    assert len(list(rows.iterdir())) == 3 * 4  # samples, and the branches with that for the KL

    def never(*_):
        raise AssertionError("a model was run")

    monkeypatch.setattr(scoring._Reading, "_extend", never)
    assert run(tmp_path, "b.jsonl", rows=rows) == first
    more = run(tmp_path, "c.jsonl", ("amulet:model=slm", "slm-with"), rows=rows)
    assert len(more) == 6
    with pytest.raises(AssertionError):
        run(tmp_path, "d.jsonl", rows=tmp_path / "others")


def test_rounding_moves_scores_little(tmp_path):
    rounded = run(tmp_path, "a.jsonl", rows=tmp_path / "rows")
    out = tmp_path / "b.jsonl"
    execute(job(out, "cogenesis", tmp_path / "dev.json", names=("llm-without", "costeer:gain=0.5")))
    plain = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    for one, other in zip(rounded, plain, strict=True):
        assert one["method"] == other["method"]
        sums = [np.asarray(row["scores"]["log_partition"], float) for row in (one, other)]
        assert np.allclose(*sums, atol=0.002 * one["tokens"]["reference"])  # nats a token
        assert not np.array_equal(*sums)


def test_damaged_or_foreign_files_are_computed_again(tmp_path):
    rows = tmp_path / "rows"
    first = run(tmp_path, "a.jsonl", rows=rows)
    for i, file in enumerate(sorted(rows.iterdir())):
        raw = file.read_bytes()
        file.write_bytes([raw[: len(raw) // 2], b"", b"text"][i % 3])
    assert run(tmp_path, "b.jsonl", rows=rows) == first


def test_where_rows_cannot_be_kept(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="folder for rows"):
        run(tmp_path, "a.jsonl", rows=tmp_path / "file" / "rows")
    work = job(tmp_path / "b.jsonl", "cogenesis", cogenesis(tmp_path / "dev.json", 1))
    with pytest.raises(ParameterError, match="not kept over Ray"):
        execute(dataclasses.replace(work, ray_workers=2, rows=tmp_path))


@pytest.mark.skipif(os.name == "nt", reason="no such modes")
def test_what_is_written_is_for_its_owner_alone(tmp_path):
    rows = tmp_path / "rows"
    run(tmp_path, "a.jsonl", rows=rows)
    written = [tmp_path / "a.jsonl", *rows.iterdir()]
    assert {path.stat().st_mode & 0o777 for path in written} == {0o600}
