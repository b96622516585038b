"""A run of ``costeer eval leakage`` on toy models: what it writes, and that it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

CONTEXT = "My name is Maren Okafor and I am number {}."
TOYS = ("--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 4)
ARMS = "llm-without,llm-with,gain-1,epsilon-1"


@pytest.fixture
def evaluate(run: Callable[..., Any], tmp_path: Path) -> Any:
    """Run ``costeer eval`` on three people."""
    people = [
        {"id": f"p{n}", "context": CONTEXT.format(n), "query": "Hi", "needs": "x", "forbids": None}
        for n in range(3)
    ]
    (tmp_path / "people.jsonl").write_text("\n".join(map(json.dumps, people)))
    options = ("--data", "people.jsonl", "--out", "out.jsonl", "--arms", ARMS, *TOYS)
    return partial(run, "leakage", *options)


def rows(path: Path, kind: str = "leakage") -> Any:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [line for line in lines if line.get("kind") == kind]


@pytest.mark.slow
def test_rows_hold_scores_and_no_text_and_a_table_is_made(
    evaluate: Any, run: Any, tmp_path: Path
) -> None:
    assert evaluate("--limit", 2)[0] == 0
    found = rows(tmp_path / "out.jsonl")
    assert [(row["sample"], row["method"]) for row in found] == [
        (person, arm) for person in ("p0", "p1") for arm in ARMS.split(",")
    ]
    assert "Okafor" not in (tmp_path / "out.jsonl").read_text()
    read = rows(tmp_path / "out.jsonl", "leakage-reader")
    attacked = [arm for arm in ARMS.split(",") if arm != "llm-with"]
    assert [row["method"] for row in read] == attacked * 2
    assert all(isinstance(row["scores"]["pair"], bool) for row in read)
    uploaded, steered = found[1]["scores"], found[2]["scores"]
    assert "rank" not in uploaded
    assert 1 <= steered["rank"] <= steered["candidates"] == 3
    assert abs(found[3]["scores"]["evidence"]) <= 1
    assert not (tmp_path / "private").exists()  # the person's own budget is not spent
    code, out, _ = run("leakage-table", "out.jsonl")
    assert code == 0
    assert "| CoSteer, gain 1 " in out
    assert "by guessing 33 %" in out
    assert "reader, which of two" in out
    (table,) = json.loads(run("leakage-table", "out.jsonl", "--json")[1])
    assert [row["people"] for row in table["rows"]] == [2, 2, 2, 2]


@pytest.mark.slow
def test_a_stopped_run_goes_on_with_the_answers_that_it_has(evaluate: Any, tmp_path: Path) -> None:
    evaluate()
    whole, texts = rows(tmp_path / "out.jsonl"), (tmp_path / "out.texts.jsonl").read_text()
    kept = (tmp_path / "out.jsonl").read_text().splitlines()[: 1 + 4 + 2]  # in the second person
    (tmp_path / "out.jsonl").write_text("\n".join(kept) + '\n{"run": "cut')
    (tmp_path / "out.texts.jsonl").write_text(texts + '{"key": ["cut')
    assert evaluate()[0] == 0
    again = rows(tmp_path / "out.jsonl")

    def scores(found: Any) -> Any:
        return [(row["sample"], row["method"], row["scores"]) for row in found]

    assert scores(again) == scores(whole)
    assert (tmp_path / "out.texts.jsonl").read_text().startswith(texts)
    code, _, err = evaluate()
    assert code == 0
    assert "0 rows written" in err


@pytest.mark.slow
def test_the_reader_is_added_to_a_finished_run(evaluate: Any, run: Any, tmp_path: Path) -> None:
    evaluate("--limit", 2)
    path, texts = tmp_path / "out.jsonl", (tmp_path / "out.texts.jsonl").read_text()
    lines, read = path.read_text().splitlines(), rows(path, "leakage-reader")
    path.write_text("".join(f"{line}\n" for line in lines if "leakage-reader" not in line))
    assert run("leakage-table", "out.jsonl")[0] == 0
    code, _, err = evaluate("--limit", 2)
    assert code == 0
    assert f"{len(read)} rows written" in err
    assert (tmp_path / "out.texts.jsonl").read_text() == texts
    again = rows(path, "leakage-reader")
    assert [row["scores"] for row in again] == [row["scores"] for row in read]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--arms", "nonsense"), "The arms are"),
        (("--shard", 1), "There is no shard 1 of 1"),
        (("--data", "none.jsonl"), "cannot be read"),
    ],
)
def test_what_cannot_be_run_is_said_before_any_work(
    evaluate: Any, tmp_path: Path, options: Any, message: Any
) -> None:
    code, _, err = evaluate(*options)
    assert code == 2
    assert message in err
    assert not (tmp_path / "out.jsonl").exists()


def test_a_table_of_nothing(run: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")
    code, _, err = run("leakage-table", "empty.jsonl")
    assert code == 2
    assert "no rows of leakage" in err
