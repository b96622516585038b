"""Benchmarks of a few rows in their official formats, and runs of the fake model on them."""

from __future__ import annotations

import json
from pathlib import Path

from costeer_evals.run.experiment import Generating, Scoring
from costeer_evals.run.job import Job, execute, experiment
from costeer_evals.run.models import ModelChoice
from costeer_evals.samples import load
from costeer_evals.samples import shard as shard_of
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.registry import task
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


def job(out: Path, task_name: str, source: Path, work=None, names=FEW, shard=(0, 1), **options):
    work = Scoring() if work is None else work
    samples = load([task(task_name)], {task_name: source}, LoadOptions())
    return Job(
        experiment(names, work), shard_of(samples, *shard), ModelChoice(FAKES), out, **options
    )


def scores(tmp_path: Path, count=3, name="scores.jsonl", **options):
    """A finished run over CoGenesis rows; its file."""
    out = tmp_path / name
    execute(job(out, "cogenesis", cogenesis(tmp_path / "dev.json", count), **options))
    return out


def writings(tmp_path: Path, count=2, name="texts.jsonl", max_tokens=8, lanes=1, **options):
    """A finished run over questions; its file."""
    out, work = tmp_path / name, Generating(max_tokens, lanes=lanes)
    source = questions(tmp_path / "questions.jsonl", count)
    execute(job(out, "truthfulqa", source, work, **options))
    return out


def rows(*paths: Path) -> dict[tuple[str, ...], dict]:
    """Rows by what they are of, without what differs between two runs."""
    found = {}
    for path in paths:
        for line in path.read_text().splitlines():
            row = json.loads(line)
            if "header" not in row:
                key = (row["kind"], row["task"], row["sample"], row["method"])
                assert key not in found
                found[key] = {name: row[name] for name in row if name not in VARYING}
    return found
