"""``costeer eval`` as a person meets it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from costeer_evals.baselines import BASELINES
from costeer_evals.methods.registry import METHODS
from costeer_evals.tasks.registry import TASKS
from tests.support import tiny_nltk
from tests.support.tiny_rows import SECRET
from tests.support.tiny_runs import all_tasks, cogenesis, questions, rows

FAKE = ("--llm", "fake:1", "--slm", "fake:2")


@pytest.mark.parametrize("command", ["run", "rate", "sweep", "tune", "table", "compare", "plot"])
def test_help(run: Callable[..., Any], command: str) -> None:
    code, out, _ = run(command, "--help")
    assert code == 0 and "Examples" in out


@pytest.mark.slow
def test_every_method_on_every_task(run: Callable[..., Any], tmp_path: Path) -> None:
    pytest.importorskip("rouge_score", reason="rouge-score is not installed")
    pytest.importorskip("nltk", reason="nltk is not installed")
    sources = all_tasks(tmp_path)
    assert sources.keys() == TASKS.keys()
    data = {name: ("--data", f"{name}={path}") for name, path in sources.items()}
    proxies = ("--tuned", "fake:3", "--untuned", "fake:4")
    writing = ("--kind", "generate", "--lanes", "4", "--out", "texts.jsonl", "--keep-texts")
    writing += ("--max-tokens", "5")
    common = ("--tasks", ",".join(sources), *chain(*data.values()), *FAKE, *proxies, "--json")
    process = subprocess.run(  # NLTK keeps what it loaded, so it gets a process of its own
        [sys.executable, "-m", "costeer", "eval", "run", *common, *writing],
        env={**os.environ, "NLTK_DATA": str(tiny_nltk.write(tmp_path / "nltk"))},
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    found = rows(tmp_path / "texts.jsonl")
    samples = 1 + 1 + 1 + 1 + 2 + 1 + 6 + 4 * 4
    assert len(found) == json.loads(process.stdout)["rows"]
    assert len(found) == samples * (len(METHODS) + len(BASELINES))
    assert all(("meteor" in row["scores"]) == (row["tokens"]["reference"] > 0)
               for row in found.values())  # fmt: skip
    kept = (tmp_path / "texts.texts.jsonl").read_text().splitlines()
    assert len(kept) == len(found)
    assert SECRET not in (tmp_path / "texts.jsonl").read_text()

    scorable = ("prefeval", "cogenesis", "longlamp")
    scored = [name for name in sources if name.startswith(scorable)]
    code, out, err = run(
        *("run", "--tasks", ",".join(scored)),
        *chain(*(data[name] for name in scored)),
        *("--out", "scores.jsonl", "--json", *FAKE, *proxies),
    )
    assert code == 0, err
    assert json.loads(out)["rows"] == (1 + 2 + 1 + 6) * len(METHODS)

    code, out, _ = run("table", "scores.jsonl", "texts.jsonl", "--json")
    assert code == 0
    by_kind = 3  # of the everyday texts, of those who send something, and of the options
    assert len(json.loads(out)) == len(scored) + len(sources) + by_kind
    for paper in ("1", "2", "3"):
        code, out, _ = run("table", "texts.jsonl", "--paper", paper)
        assert code == 0 and f"Table {paper} of the paper" in out


@pytest.mark.slow
def test_a_run_says_what_it_did_and_a_second_one_that_there_was_nothing_to_do(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    path = cogenesis(tmp_path / "dev.json", 3)
    arguments = ("run", "-t", "cogenesis", "--data", path, "--out", "new/out.jsonl", *FAKE)
    code, out, err = run(*arguments, "--limit", 2, "-m", "llm-without,llm-with")
    assert (code, out) == (0, "") and "4 rows written" in err
    code, _, err = run(*arguments, "--limit", 2, "-m", "llm-without", "-m", "llm-with")
    assert code == 0 and "nothing was done" in err
    code, out, _ = run("table", "new/out.jsonl")
    assert code == 0 and "| LLM w/o" in out
    code, out, _ = run("compare", "llm-without", "llm-with", "new/out.jsonl", "--format", "csv")
    assert code == 0 and "NLL" in out


@pytest.mark.slow
def test_sweep(run: Callable[..., Any], tmp_path: Path) -> None:
    path = cogenesis(tmp_path / "dev.json", 2)
    arguments = ("sweep", "-t", "cogenesis", "--data", path, "--out", "out.jsonl", *FAKE)
    code, out, _ = run(*arguments, "--gains", "0.5,1", "--figure-2", "--json")
    assert code == 0
    table, mapping = json.loads(out)
    assert "gain 0.5" in [row["Method"] for row in table["rows"]]
    assert "Only the gain matters" in mapping["notes"][0]
    if importlib.util.find_spec("matplotlib") is None:
        pytest.skip("matplotlib is not installed; the sweep itself is fine")
    code, out, _ = run("plot", "out.jsonl", "--out", "sweep.png")
    assert (code, out) == (0, "sweep.png\n")


WRONG = [
    (["run", "-t", "cogenesi", "--data", "D"], "no task 'cogenesi'"),
    (["run", "-t", "cogenesis", "--data", "D", "-m", "steer"], "no method 'steer'"),
    (["run", "-t", "cogenesis", "--data", "no.json"], "no.json cannot be read"),
    (["run", "-t", "cogenesis"], "not on the hub"),
    (["run", "-t", "cogenesis", "--data", "empty.json"], "holds no rows"),
    (["run", "-t", "cogenesis,helpsteer", "--data", "D"], "Write TASK=PATH"),
    (["run", "-t", "cogenesis", "--data", "D", "--data", "D"], "two paths"),
    (["run", "-t", "helpsteer", "--data", "Q"], "no references to score"),
    (["run", "-t", "cogenesis", "--data", "D", "--llm", "no-such"], "no model named"),
    (["run", "-t", "cogenesis", "--data", "D", "-m", "proxy-tuning"], "--tuned"),
    (["run", "-t", "cogenesis", "--data", "D", "--shards", "2", "--shard", "2"], "no shard 2"),
    (["run", "-t", "cogenesis", "--data", "D", "--temperature", "-1", "--kind", "generate"],
     "temperature"),
    (["sweep", "-t", "cogenesis", "--data", "D", "--gains", "much"], "not a number"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "message"), WRONG)
def test_what_is_wrong_is_told_in_one_line(
    run: Callable[..., Any], tmp_path: Path, arguments: list[str], message: str
) -> None:
    known = {"D": cogenesis(tmp_path / "d.json", 1), "Q": questions(tmp_path / "q.jsonl", 1)}
    (tmp_path / "empty.json").write_text("[]")
    given = [known.get(argument, argument) for argument in arguments]
    # The default models are not in this home: whoever gets as far as loading them says so.
    code, out, err = run(*given, "--out", "out.jsonl")
    assert code in (1, 2) and out == ""
    assert message in err and "not on this machine" not in err
    assert err.strip().count("\n") == 0


def test_wrong_files_of_results_are_told_in_one_line(
    run: Callable[..., Any], tmp_path: Path
) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    (tmp_path / "other.jsonl").write_text('{"a": 1}\n{"b": 2}\n')
    for arguments, message in [
        (("table", "no.jsonl"), "cannot be read"),
        (("table", "empty.jsonl"), "holds no results"),
        (("table", "other.jsonl"), "line 1"),
        (("plot", "empty.jsonl", "--out", "a.png"), "holds no results"),
        (("compare", "costeer", "steer", "empty.jsonl"), "no method 'steer'"),
    ]:
        code, out, err = run(*arguments)
        assert code == 2 and out == "" and message in err
        assert err.strip().count("\n") == 0


def test_two_runs_on_one_file_at_once_are_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    from costeer_evals.run.results import open_results

    path = cogenesis(tmp_path / "d.json", 1)
    with open_results(tmp_path / "out.jsonl"):
        code, _, err = run("run", "-t", "cogenesis", "--data", path, "--out", "out.jsonl", *FAKE)
    assert code == 2 and "Another process is writing" in err
