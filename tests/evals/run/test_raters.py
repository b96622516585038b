"""Raters: how the judge is asked, and the reward model from a tiny folder."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import CloudError, UsageError
from costeer_evals.run import raters, results
from costeer_evals.run.rating import KeptText, RatingRequest, RatingResult
from costeer_evals.tasks.base import Sample
from tests.support import tiny_torch
from tests.support.tiny_runs import questions, writings

NAMES = ("llm-without", "llm-with")


def test_a_key_that_cannot_be_sent() -> None:
    with pytest.raises(UsageError, match="API key"):
        raters.JudgeRater("http://h/v1", "m", accepted=True, api_key="sk\nx")
    with pytest.raises(UsageError, match="cannot be understood"):
        raters.JudgeRater("http://h:port/v1", "m", accepted=True)


def test_work_in_threads_is_whole_and_ends_at_the_first_error() -> None:
    assert sorted(raters.map_in_threads(abs, range(-50, 0), 4)) == [(i, -i) for i in range(-50, 0)]
    assert list(raters.map_in_threads(abs, [], 4)) == []
    done = []

    def work(item: Any) -> Any:
        done.append(item)
        return 1 / item

    with pytest.raises(ZeroDivisionError):
        list(raters.map_in_threads(work, [2, 1, 0, *range(1, 1000)], 1))
    assert done == [2, 1, 0]


@pytest.fixture
def reward_model(tmp_path: Path) -> Any:
    """The folder of a tiny classifier."""
    pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("transformers", reason="transformers is not installed")
    from costeer_evals.metrics.armorm import REWARDS

    tiny_torch.classifier(REWARDS).save_pretrained(tmp_path / "armorm")
    tiny_torch.tokenizer().save_pretrained(tmp_path / "armorm")
    return tmp_path / "armorm"


def test_the_reward_model_rates_preferences(run: Any, tmp_path: Path, reward_model: Any) -> None:
    from costeer_evals.metrics.armorm import ArmoRM

    writings(tmp_path, keep_texts=True, names=NAMES)
    command = ("rate", "texts.jsonl", "-t", "truthfulqa", "--data", "questions.jsonl")
    code, out, err = run(*command, "--armorm", reward_model, "--json")
    assert code == 0, err
    assert json.loads(out).items() >= {"ratings": 16, "written": 16, "failed": 0}.items()
    kept = {}
    for line in (tmp_path / "texts.texts.jsonl").read_text().splitlines():
        row = json.loads(line)
        kept[row["sample"], row["method"]] = row["text"]
    model = ArmoRM.load(str(reward_model))
    for rating in results.read(tmp_path / "texts.ratings.jsonl").ratings:
        question, preference = rating["sample"].split("-")
        sentence = f"Your answer should be as {preference} as possible"
        text = kept[rating["sample"], rating["method"]]
        (expected,) = model.scores([f"Why {question}?"], [sentence], [text])
        assert rating["scores"]["armorm"] == pytest.approx(expected, abs=2e-2)
        assert rating["rater"].items() >= {"kind": "armorm", "name": "armorm"}.items()
        assert len(rating["rater"]["sha256"]) == 64
    code, _, err = run(*command, "--armorm", reward_model)
    assert code == 0 and "nothing was done" in err

    files = ("texts.jsonl", "texts.ratings.jsonl")
    (table,) = json.loads(run("table", *files, "--json")[1])
    assert all(isinstance(row["ArmoRM"], float) for row in table["rows"])
    five = json.loads(run("table", *files, "--paper", "5", "--json")[1])
    ours = five[0]["rows"][0]
    assert ours["Setting"] == "ours: LLM w/o" and ours["TruthfulQA concise"] is not None


def test_reward_models_that_cannot_be(run: Any, tmp_path: Path, reward_model: Any) -> None:
    writings(tmp_path, keep_texts=True, names=NAMES)
    command = ("rate", "texts.jsonl", "-t", "truthfulqa", "--data", "questions.jsonl")
    (tmp_path / "empty").mkdir()
    for more, message in [
        (("--armorm", "empty"), "empty is not a model"),
        (("--armorm", reward_model, "--device", "no-such"), "cannot use the device"),
    ]:
        code, out, err = run(*command, *more)
        assert code != 0 and out == "" and message in err


def test_the_papers_reward_model_is_the_default(run: Any, tmp_path: Path) -> None:
    questions(tmp_path / "q.jsonl", 1)
    code, _, err = run("rate", "no.jsonl", "-t", "helpsteer", "--data", "q.jsonl", "--armorm")
    assert code == 2 and "no.jsonl cannot be read" in err  # and not: who is to rate
    assert raters.RewardModelRater().identity["name"] == "RLHFlow/ArmoRM-Llama3-8B-v0.1"


@pytest.mark.slow
def test_a_judge_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    judge = raters.JudgeRater(f"http://127.0.0.1:{port}/v1", "m", accepted=True, wait=0)
    text = KeptText({}, Sample("1", "Write.", "unused", None, group="1"), "Cheers!")
    with judge.open() as rate:
        found = list(rate([RatingRequest(text, "overall")] * (raters.MAX_FAILURES - 1)))
        assert {result for _, result in found} == {RatingResult(None, 4, "ConnectError")}
        with pytest.raises(
            CloudError, match="10 times in a row; the last failure was: ConnectError"
        ):
            list(rate([RatingRequest(text, "overall")] * raters.MAX_FAILURES))
