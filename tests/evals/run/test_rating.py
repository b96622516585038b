"""``costeer eval rate``: texts of a real run, rated by a judge on a real socket."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costeer_evals.metrics.overlap import Overlap
from costeer_evals.run import raters, results, texts
from costeer_evals.run.experiment import GenerateConfig
from costeer_evals.run.job import run_job
from tests.support.tiny_judge import TinyJudge, aspect, fair, toast
from tests.support.tiny_rows import SECRET
from tests.support.tiny_runs import cogenesis, job, scores

KEY = "sk-very-secret-key"
NAMES = ("llm-without", "llm-with")
SAMPLES = 3
ALL = SAMPLES * len(NAMES) * 2


@pytest.fixture
def judge() -> Iterator[Any]:
    with TinyJudge(fair) as judge:
        yield judge


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Kept texts of CoGenesis, and its rows; overlap, which needs NLTK's data, is made up."""
    monkeypatch.setattr(texts, "overlap", lambda text, reference: Overlap(0.1, 0.2, 0.3))
    monkeypatch.setattr(texts, "nearest_record", lambda sample: 0.0)
    data = cogenesis(tmp_path / "dev.json", SAMPLES)
    options = {"names": NAMES, "keep_texts": True}
    run_job(job(tmp_path / "texts.jsonl", "cogenesis", data, GenerateConfig(5), **options))
    return tmp_path / "texts.jsonl"


@pytest.fixture
def rate(run: Any, judge: Any, tmp_path: Path) -> Any:
    """Have the judge rate ``texts.jsonl``."""

    def rate(*more: Any, model: Any = "gpt-4o", files: Any = ("texts.jsonl",)) -> Any:
        asked = ("--judge", judge.url, "--judge-model", model, "--judge-sees-private-data")
        return run("rate", *files, "-t", "cogenesis", "--data", "dev.json", *asked, *more)

    return rate


def ratings(path: Any) -> Any:
    return [json.loads(line)["rating"] for line in path.read_text().splitlines()]


def given(path: Any) -> Any:
    """Scores by text; each once."""
    found = {}
    for rating in ratings(path):
        for score, value in rating["scores"].items():
            key = (rating["sample"], rating["method"].split("-")[0], rating["method"], score)
            assert key not in found
            found[key] = value
    return found


@pytest.mark.slow
def test_texts_are_rated_and_shown(
    run: Any, rate: Any, judge: Any, written: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTEER_JUDGE_KEY", KEY)
    code, out, err = rate()
    assert (code, out) == (0, "") and f"{ALL} ratings written" in err
    assert len(judge.prompts) == ALL
    assert set(judge.keys) == {f"Bearer {KEY}"} and set(judge.models) == {"gpt-4o"}
    assert all(SECRET in prompt for prompt in judge.prompts)  # it is meant to see the profile
    kept = [json.loads(line) for line in (tmp_path / "texts.texts.jsonl").read_text().splitlines()]
    for row in kept:
        text = row["text"].strip()
        assert sum(f"Answer]\n{text}\n[The End" in prompt for prompt in judge.prompts) >= 2
    file = tmp_path / "texts.ratings.jsonl"
    assert sorted(given(file).values()) == sorted([3, 4, 5] * 2 + [4, 5, 6] * 2)
    for private in (SECRET, KEY, "Maren", "toast", "Biscuit", *(row["text"] for row in kept)):
        assert not private.strip() or private not in file.read_text() + err
    rating = ratings(file)[0]
    assert rating["rater"].keys() == {"kind", "name", "prompts"}
    assert (rating["attempts"], rating["failure"]) == (1, "")

    code, out, err = rate("--json")
    assert code == 0 and len(judge.prompts) == ALL  # nothing was asked again
    assert json.loads(out).items() >= {"ratings": ALL, "written": 0, "failed": 0}.items()
    assert "already holds all" in rate()[2]

    files = ("texts.jsonl", "texts.ratings.jsonl")
    code, out, err = run("table", *files, "--json")
    assert code == 0, err
    (table,) = json.loads(out)
    assert [row["judge, overall"] for row in table["rows"]] == [4, 4]
    assert [row["judge, personal"] for row in table["rows"]] == [5, 5]
    assert table["notes"] == []
    code, out, _ = run("table", *files, "--paper", "1", "--json")
    ours = {row["Setting"]: row for row in json.loads(out)[0]["rows"]}
    assert ours["ours: LLM w/o"]["CoGenesis Ovl"] == 4
    assert ours["ours: LLM w/"]["CoGenesis Per"] == 5
    code, out, _ = run("compare", *NAMES, *files)
    assert code == 0 and "| judge, overall " in out
    assert "judge" not in run("table", "texts.jsonl")[1]


@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on(
    rate: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    def refuses(prompt: Any) -> Any:
        return fair(prompt) if len(judge.prompts) <= 5 else 401

    judge.answer = refuses
    code, out, err = rate("--parallel", "1")
    assert (code, out) == (1, "") and "refused with status 401" in err
    assert err.strip().count("\n") == 0 and SECRET not in err
    file = tmp_path / "texts.ratings.jsonl"
    assert len(given(file)) == 5 and len(judge.prompts) == 6  # it stopped at the refusal

    judge.answer = fair
    with file.open("ab") as end:
        end.write(b'{"rating": {"run": "')  # what a kill may leave
    code, _, err = rate("--parallel", "3")
    assert code == 0 and f"{ALL - 5} ratings written" in err and f"{ALL} in all" in err
    assert len(given(file)) == ALL and len(judge.prompts) == 6 + ALL - 5


@pytest.mark.slow
def test_failures_are_recorded_and_asked_again(
    run: Any, rate: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    def unsure(prompt: Any) -> Any:
        return "No idea." if toast(prompt) == 1 and aspect(prompt) == "personal" else fair(prompt)

    judge.answer = unsure
    code, _, err = rate()
    assert code == 0 and "2 failed; the same command asks for them again" in err
    file = tmp_path / "texts.ratings.jsonl"
    failed = [rating for rating in ratings(file) if rating["failure"]]
    assert {(r["sample"], r["attempts"], r["failure"]) for r in failed} == {
        ("t1", 4, "no rating in the answer")
    }
    assert [r["scores"] for r in failed] == [{"personal": None}] * 2
    (table,) = json.loads(run("table", "texts.jsonl", file, "--json")[1])
    assert [row["judge, overall"] for row in table["rows"]] == [4, 4]
    assert [row["judge, personal"] for row in table["rows"]] == [5, 5]  # of 4 and 6
    (note,) = table["notes"]
    assert note.startswith("judge, personal: on the 2 of 3 samples") and "2 ratings" in note

    judge.answer, before = fair, len(judge.prompts)
    code, out, _ = rate("--json")
    assert json.loads(out).items() >= {"ratings": ALL, "written": 2, "failed": 0}.items()
    assert len(judge.prompts) == before + 2
    (table,) = json.loads(run("table", "texts.jsonl", file, "--json")[1])
    assert table["notes"] == []


@pytest.mark.slow
def test_what_the_judge_refuses_of_one_text_does_not_stop_the_others(
    rate: Any, judge: Any, written: Any
) -> None:
    judge.answer = lambda prompt: 400 if toast(prompt) == 0 else fair(prompt)
    code, out, _ = rate("--json")
    assert code == 0 and json.loads(out).items() >= {"written": ALL - 4, "failed": 4}.items()
    assert len(judge.prompts) == ALL  # such a refusal is not asked again at once


@pytest.mark.slow
def test_a_judge_that_only_fails_is_given_up(
    rate: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    judge.answer = lambda prompt: 422
    code, out, err = rate("--parallel", "1")
    assert (code, out) == (
        1,
        "",
    ) and "failed 10 times in a row; the last failure was: status 422" in err
    assert len(judge.prompts) == raters.MAX_FAILURES
    assert len(ratings(tmp_path / "texts.ratings.jsonl")) == raters.MAX_FAILURES


def test_nothing_is_sent_unless_it_is_accepted(
    run: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    for file in ("texts.jsonl", "no-such.jsonl"):  # it is told before anything is read
        code, out, err = run(
            *("rate", file, "-t", "cogenesis", "--data", "dev.json"),
            *("--judge", judge.url, "--judge-model", "m"),
        )
        assert (code, out) == (2, "")
        for word in (judge.url, "profile", "history", "query", "text", "--judge-sees-private-data"):
            assert word in err
    assert judge.prompts == [] and not (tmp_path / "texts.ratings.jsonl").exists()


@pytest.mark.slow
def test_texts_that_were_not_kept(rate: Any, judge: Any, written: Any, tmp_path: Path) -> None:
    kept = tmp_path / "texts.texts.jsonl"
    lines = kept.read_text().splitlines(keepends=True)
    kept.write_text('{"kind": "generate", "ta' + "".join(lines))  # the first is lost to a kill
    code, out, _ = rate("--json")
    assert code == 0
    assert json.loads(out).items() >= {"written": ALL - 2, "not_kept": 1}.items()
    assert "1 rows were left out: their texts were not kept" in rate()[2]
    kept.write_text("")
    code, _, err = rate()
    assert code == 2 and "were not kept" in err and "--keep-texts into a new file" in err
    kept.unlink()
    asked = len(judge.prompts)
    code, _, err = rate()
    assert code == 2 and "There is no texts.texts.jsonl" in err and "--keep-texts" in err
    assert len(judge.prompts) == asked


@pytest.mark.slow
def test_a_text_is_found_by_the_hash_in_its_row(
    rate: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    kept = tmp_path / "texts.texts.jsonl"
    lines = [json.loads(line) for line in kept.read_text().splitlines()]
    other = [json.dumps({**line, "text": "of another time"}) + "\n" for line in lines]
    kept.write_text(other[0] + kept.read_text() + other[1])
    assert rate()[0] == 0
    assert not any("of another time" in prompt for prompt in judge.prompts)
    rows = [json.loads(line) for line in written.read_text().splitlines()]
    old = [{name: row[name] for name in row if name != "answer"} for row in rows]
    written.write_text("".join(json.dumps(row) + "\n" for row in old))
    assert rate("--out", "old.jsonl")[0] == 0  # the last text that was kept
    assert sum("of another time" in prompt for prompt in judge.prompts) == 2


@pytest.mark.slow
def test_the_data_are_those_of_the_run(rate: Any, judge: Any, written: Any, tmp_path: Path) -> None:
    path = tmp_path / "dev.json"
    rows = json.loads(path.read_text())
    code, out, _ = rate("--limit", "1", "--json")
    assert json.loads(out).items() >= {"written": 4, "skipped": 4}.items()
    assert "4 rows were skipped: their samples are not in the data" in rate("--limit", "1")[2]
    rows[2]["additional_profile"] = "Age: 62"
    path.write_text(json.dumps(rows))
    code, _, err = rate()
    assert code == 2 and "other texts of cogenesis's sample t2" in err and "Age" not in err
    cogenesis(path, 1)
    path.write_text(path.read_text().replace('"t0"', '"u0"'))
    code, _, err = rate()
    assert code == 2 and "No row of these files belongs to a sample of the data" in err
    assert len(judge.prompts) == 4


WRONG = [
    ((), "Give --judge or --armorm"),
    (("--judge", "http://h/v1", "--armorm", "x"), "Give --judge or --armorm"),
    (("--judge", "http://h/v1"), "Give --judge-model"),
    (("--judge", "h/v1", "--judge-model", "m"), "must begin with http"),
    (("--judge", "http://u:p@h/v1", "--judge-model", "m"), "must not hold credentials"),
    (("--armorm", "x"), "The reward model does not rate texts of 'cogenesis'"),
    (("--judge", "http://h/v1", "--judge-model", "m", "-t", "helpsteer"), "It is for: cogenesis."),
]


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_is_wrong_is_told_in_one_line(run: Any, arguments: Any, message: Any) -> None:
    code, out, err = run("rate", "no.jsonl", "-t", "cogenesis", "--data", "no.json", *arguments)
    assert (code, out) == (2, "") and message in err
    assert err.strip().count("\n") == 0


@pytest.mark.slow
def test_files_that_cannot_be_used(
    run: Any, rate: Any, judge: Any, written: Any, tmp_path: Path
) -> None:
    assert rate()[0] == 0
    code, _, err = rate(model="gpt-5")
    assert code == 2 and "holds ratings by gpt-4o" in err and "another --out" in err
    with results.open_results(tmp_path / "texts.ratings.jsonl"):
        code, _, err = rate()
    assert code == 2 and "Another process is writing" in err
    scores(tmp_path)
    code, _, err = rate(files=("scores.jsonl",))
    assert code == 2 and "scores.jsonl holds no rows of texts" in err
    asked = len(judge.prompts)
    code, _, err = rate("--out", "texts.texts.jsonl")
    assert code == 2 and "not a line of results" in err and len(judge.prompts) == asked

    code, _, err = run("table", "texts.ratings.jsonl")
    assert code == 2 and "There are only ratings" in err
    assert rate("--out", "other.jsonl", model="gpt-5")[0] == 0
    code, _, err = run("table", "texts.jsonl", "texts.ratings.jsonl", "other.jsonl")
    assert code == 2 and "by two raters: gpt-4o" in err and "gpt-5" in err


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
def test_ctrl_c_ends_it_at_once_and_keeps_what_was_rated(
    judge: Any, written: Any, tmp_path: Path
) -> None:
    asked, leave = threading.Event(), threading.Event()

    def slow(prompt: Any) -> Any:
        if toast(prompt) == 2:
            asked.set()
            leave.wait(60)
        return fair(prompt)

    judge.answer = slow
    command = ("rate", "texts.jsonl", "-t", "cogenesis", "--data", "dev.json")
    command += ("--judge", judge.url, "--judge-model", "m", "--judge-sees-private-data")
    process = subprocess.Popen(
        [sys.executable, "-m", "costeer", "eval", *command, "--parallel", "1"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    )
    assert asked.wait(60)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)  # the request under way would take a minute
    leave.set()
    assert process.returncode == 130 and err.strip() == "Interrupted."
    assert len(given(tmp_path / "texts.ratings.jsonl")) == ALL - 4
