"""Options scored as the answer: against plain loops, and across a run that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from costeer.decoding.steering import log_softmax
from costeer.exceptions import InputError, ParameterError
from costeer.models.load import load_model
from costeer_evals.methods.registry import parse_method
from costeer_evals.prompts import encode
from costeer_evals.run.choosing import option_fields
from costeer_evals.run.job import run_job
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import write
from tests.support.tiny_runs import choices, job, rows

NAMES = ["llm-without", "llm-with", "costeer:gain=0.5", "adacosteer:threshold=0.1", "auto"]
MODEL = {"llm_without": 1, "llm_with": 1, "slm_without": 2, "slm_with": 2, "slm_about": 2}


def expected(name: Any, prompts: Any, ids: Any) -> Any:
    """The mean log-probability of an option, every row from scratch."""
    how = parse_method(name)
    given = {}
    for branch in how.needs:
        prompt = prompts.private if branch.endswith("_with") else prompts.public
        prompt = prompts.about if branch.endswith("_about") else prompt
        model = load_model(f"fake:{MODEL[branch]}")
        given[branch] = np.stack([model.logprobs([*prompt, *ids[:i]]) for i in range(len(ids))])
    logprobs = log_softmax(how.begin(prompts).scores(given, ids[:-1]))
    return float(np.mean([logprobs[i, token] for i, token in enumerate(ids)]))


@pytest.mark.slow
def test_options_are_scored_as_by_a_plain_loop(tmp_path: Path) -> None:
    source, out = choices(tmp_path / "p.jsonl", 3), tmp_path / "out.jsonl"
    run_job(job(out, "prefeval", source, names=NAMES))
    found, tokenizer = rows(out), load_model("fake:1").tokenizer
    for sample in find_task("prefeval").load(source, LoadOptions()):
        prompts = encode(sample, tokenizer)
        for name in NAMES:
            row = found["score", "prefeval", sample.id, parse_method(name).key()]
            means = [expected(name, prompts, tokenizer.encode(text)) for text in sample.options]
            assert row["scores"]["options"] == pytest.approx(means, abs=1e-4)
            assert row["scores"]["margin"] == pytest.approx(means[0] - sum(means[1:]) / 2, abs=1e-4)
            assert row["scores"]["correct"] is (means[0] > max(means[1:]))
            assert row["topic"] == "drinks"
    assert len(found) == 3 * len(NAMES)


@pytest.mark.slow
def test_a_run_goes_on_and_gives_the_rows_of_one_run(tmp_path: Path) -> None:
    few, whole, part = choices(tmp_path / "few.jsonl", 1), tmp_path / "a", tmp_path / "b"
    source = choices(tmp_path / "p.jsonl", 3)
    assert run_job(job(part, "prefeval", few, names=NAMES[:2])).written == 2
    assert run_job(job(part, "prefeval", source, names=NAMES)).written == 3 * len(NAMES) - 2
    assert run_job(job(part, "prefeval", source, names=NAMES)).written == 0
    run_job(job(whole, "prefeval", source, names=NAMES))
    assert rows(part) == rows(whole)
    for private in ("Maren", "Biscuit", "Tea", "Drink"):
        assert private not in whole.read_text()


def test_options_that_do_not_fit_are_refused_before_the_work(tmp_path: Path) -> None:
    row = {"id": 1, "topic": "t", "preference": "p", "question": "q", "options": ["a" * 5000, "b"]}
    source = write(tmp_path / "p.jsonl", [row])
    with pytest.raises(InputError, match=r"need up to 5,\d+ tokens"):
        run_job(job(tmp_path / "out.jsonl", "prefeval", source))


def test_rows_of_options_are_not_kept(tmp_path: Path) -> None:
    source = choices(tmp_path / "p.jsonl", 1)
    with pytest.raises(ParameterError, match="not for options"):
        run_job(job(tmp_path / "out.jsonl", "prefeval", source, logprob_store=tmp_path / "rows"))


@pytest.mark.parametrize(
    ("logprobs", "margin", "correct"),
    [([-1, -2, -4], 2, True), ([-3, -2, -4], 0, False), ([-2, -2], 0, False)],
)
def test_margin_and_choice(logprobs: Any, margin: Any, correct: Any) -> None:
    found = option_fields(logprobs)
    assert (found["margin"], found["correct"]) == (margin, correct)
