"""Rows made by hand, and tables of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from costeer_evals.methods.registry import make_method
from costeer_evals.report.collect import Section, build_sections, load_results
from costeer_evals.report.table import Table

LLM, BOUND = make_method("llm-without"), make_method("llm-with")
LIGHT, PAPER = make_method("light-costeer"), make_method("costeer")


def header() -> dict[str, dict[str, Any]]:
    return {"header": {"run": "r", "models": {"llm": {"name": "big"}, "slm": {"name": "small"}}}}


def row(
    how: Any,
    sample: str,
    values: Any,
    kind: str = "generate",
    task: str = "cogenesis",
    group: str | None = None,
    **more: Any,
) -> dict[str, str]:
    return {
        "run": "r",
        "kind": kind,
        "task": task,
        "sample": sample,
        "group": group or sample,
        "texts": "x",
        "method": how.key(),
        "label": how.label,
        "parameters": {"name": how.name},
        "violates_privacy": how.violates_privacy,
        "settings": {"kl": True} if kind == "score" else {"max_tokens": 9},
        "scores": values,
        "steps": 10,
        "changed": None,
        "seconds": {},
        **more,
    }


def file(tmp_path: Path, *rows: Any, name: str = "made.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join(json.dumps(line) + "\n" for line in [header(), *rows]))
    return path


def only(path: Path, **options: Any) -> Section | None:
    (section,) = build_sections(load_results([path]), **options)
    return section


def overlap(rouge_1: float, rouge_l: float, meteor: float) -> Any:
    return {"rouge_1": rouge_1, "rouge_l": rouge_l, "meteor": meteor}


def cells(table: Table, label: str) -> dict[str, Any]:
    (found,) = [row for row in table.rows if row[0] == label]
    return {column.name: cell for column, cell in zip(table.columns, found, strict=True)}
