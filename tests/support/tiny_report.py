"""Rows made by hand, and tables of them."""

from __future__ import annotations

import json

from costeer_evals.methods.registry import method
from costeer_evals.report.collect import load, sections

LLM, BOUND = method("llm-without"), method("llm-with")
LIGHT, PAPER = method("light-costeer"), method("costeer")


def header():
    return {"header": {"run": "r", "models": {"llm": {"name": "big"}, "slm": {"name": "small"}}}}


def row(how, sample, values, kind="generate", task="cogenesis", group=None, **more):
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


def file(tmp_path, *rows, name="made.jsonl"):
    path = tmp_path / name
    path.write_text("".join(json.dumps(line) + "\n" for line in [header(), *rows]))
    return path


def only(path, **options):
    (section,) = sections(load([path]), **options)
    return section


def overlap(rouge_1, rouge_l, meteor):
    return {"rouge_1": rouge_1, "rouge_l": rouge_l, "meteor": meteor}


def cells(table, label):
    (found,) = [row for row in table.rows if row[0] == label]
    return {column.name: cell for column, cell in zip(table.columns, found, strict=True)}
