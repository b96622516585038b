"""Benchmarks of a few rows in their official formats, and runs of the fake model on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from costeer_evals.run.experiment import GenerateConfig, ScoreConfig
from costeer_evals.run.job import EvalJob, build_experiment, run_job
from costeer_evals.run.models import ModelChoice
from costeer_evals.samples import load_samples, select_shard
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.registry import find_task
from tests.support.tiny_rows import ABSTRACT_PROMPT, COGENESIS, write

FAKES = {"llm": "fake:1", "slm": "fake:2"}
FEW = ("llm-without", "llm-with", "costeer:gain=0.5")
VARYING = ("run", "seconds")
"""What differs between two runs of the same thing."""


def cogenesis(path: Path, count: int) -> Path:
    rows = []
    for i in range(count):
        user = {"from": "user", "value": f"Write toast number {i}."}
        answer = {"from": "assistant", "value": f"To Biscuit, {i} times{'!' * (i % 3)}"}
        rows.append({**COGENESIS, "tid": f"t{i}", "conversations": [user, answer]})
    return write(path, rows)


def questions(path: Path, count: int) -> Path:
    return write(path, [{"id": i, "input": f"Why {i}?"} for i in range(count)])


def everyday(path: Path, count: int) -> Path:
    row = {"context": "I am Maren.", "needs": "[a-z]", "forbids": "\\d", "kind": "names"}
    return write(path, [{"id": f"e{i}", "query": f"Who am I, {i}?", **row} for i in range(count)])


def sent(path: Path, count: int) -> Path:
    row = {"context": "I am Maren.\n\nBe brief.", "needs": "[a-z]", "forbids": None}
    row |= {"sends": "Be brief.", "kind": "form"}
    return write(path, [{"id": f"s{i}", "query": f"Who is it, {i}?", **row} for i in range(count)])


def people(path: Path, count: int) -> Path:
    row: dict[str, Any] = {"context": "I am Maren.\n\nI like tea.", "needs": "[a-z]"}
    row |= {"forbids": None, "asides": {"name": "Maren", "letter": "[a-z]", "end": "$"}}
    return write(path, [{"id": f"q{i}", "query": f"And then, {i}?", **row} for i in range(count)])


def choices(path: Path, count: int) -> Path:
    row = {"topic": "drinks", "preference": "I dislike Biscuit.", "options": ["Tea.", "J", "Wine."]}
    return write(path, [{"id": f"p{i}", "question": f"Drink {i}?", **row} for i in range(count)])


def all_tasks(folder: Path) -> dict[str, Path]:
    """A source for every task."""
    turns = [
        {"from": "user", "value": ABSTRACT_PROMPT},
        {"from": "assistant", "value": "We show it."},
    ]
    found = {
        "everyday": everyday(folder / "everyday.jsonl", 1),
        "people": people(folder / "people.jsonl", 1),
        "sent": sent(folder / "sent.jsonl", 1),
        "prefeval": choices(folder / "prefeval.jsonl", 1),
        "cogenesis": cogenesis(folder / "dev.json", 2),
        "cogenesis-abstracts": write(
            folder / "paper_dev.json", [{"tid": "0", "conversations": turns}]
        ),
    }
    for name in ("helpsteer", "truthfulqa", "ultrachat", "personal_preference_eval"):
        found[name] = questions(folder / f"{name}.jsonl", 1)
    users = {"abstract": "name", "review": "reviewerId", "topic": "author"}
    for kind, user in users.items():
        record = {"title": "T", "abstract": "a", "description": "T", "reviewText": "a"}
        record |= {"summary": "T", "content": "a"}
        row = {user: "Maren", "id": 1, "input": "Write.", "output": "Well.", "top_5": [record] * 5}
        for ending in ("", "-temporal"):
            found[f"longlamp-{kind}{ending}"] = write(folder / f"{kind}{ending}.jsonl", [row])
    return found


def job(
    out: Path,
    task_name: str,
    source: Path,
    work: ScoreConfig | GenerateConfig | None = None,
    names: Any = FEW,
    shard: tuple[Any, ...] = (0, 1),
    **options: Any,
) -> EvalJob:
    work = ScoreConfig() if work is None else work
    samples = load_samples([find_task(task_name)], {task_name: source}, LoadOptions())
    return EvalJob(
        build_experiment(names, work),
        select_shard(samples, *shard),
        ModelChoice(FAKES),
        out,
        **options,
    )


def scores(tmp_path: Path, count: int = 3, name: str = "scores.jsonl", **options: Any) -> Path:
    """A finished run over CoGenesis rows; its file."""
    out = tmp_path / name
    run_job(job(out, "cogenesis", cogenesis(tmp_path / "dev.json", count), **options))
    return out


def writings(
    tmp_path: Path,
    count: int = 2,
    name: str = "texts.jsonl",
    max_tokens: int = 8,
    lanes: int = 1,
    **options: Any,
) -> Path:
    """A finished run over questions; its file."""
    out, work = tmp_path / name, GenerateConfig(max_tokens, lanes=lanes)
    source = questions(tmp_path / "questions.jsonl", count)
    run_job(job(out, "truthfulqa", source, work, **options))
    return out


def rows(*paths: Path) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by what they are of, without what differs between two runs."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for path in paths:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "header" not in row:
                key = (row["kind"], row["task"], row["sample"], row["method"])
                assert key not in found
                found[key] = {name: row[name] for name in row if name not in VARYING}
    return found
