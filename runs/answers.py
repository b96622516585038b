"""Print unselected answers to everyday requests: the first two of every kind.

Usage: python runs/answers.py KEPT.texts.jsonl [KEPT.texts.jsonl ...] > docs/answers.md
``runs/everyday_cpu.sh`` writes these files (``eval run --keep-texts``).
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from importlib.resources import files
from pathlib import Path

from costeer_evals.methods.registry import parse_method
from costeer_evals.metrics.adherence import respected

METHODS = {
    "the large model alone": "llm-without",
    "the large model with the context (no privacy)": "llm-with",
    "steered, the default": "guided-auto",
}
EACH = 2


def main(paths: list[str]) -> None:
    """Print Markdown."""
    names = {parse_method(method).key(): name for name, method in METHODS.items()}
    texts: dict[tuple[str, str], str] = {}
    for path in paths:
        with Path(path).open(encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                texts[row["sample"], names.get(row["method"], "")] = row["text"]
    print("# Twenty-four answers\n")
    print(
        "The first two requests of each kind in `src/costeer_evals/data/everyday.jsonl`, on the "
        "default pair: greedy, cut off at 90 tokens, unselected (`runs/answers.py`). A cross means "
        "that the answer does not respect the person by the set's expressions, which are crude.\n"
    )
    shown: Counter[str] = Counter()
    data = files("costeer_evals").joinpath("data/everyday.jsonl").read_text(encoding="utf-8")
    for case in map(json.loads, data.splitlines()):
        shown[case["kind"]] += 1
        if shown[case["kind"]] <= EACH:
            _show(case, texts)


def _show(case: dict[str, str], texts: dict[tuple[str, str], str]) -> None:
    records = case["context"].split("\n\n")
    about = " / ".join(records) if len(records) < 5 else f"{len(records)} records about the person"
    print(f"## {case['kind']}: {case['query']}\n\n*{' '.join(about.split())}*\n")
    for name in METHODS:
        text = texts[case["id"], name]
        mark = "✓" if respected(text, case["needs"], case["forbids"]) else "✗"
        print(f"- {mark} **{name}**: {' '.join(text.split())}")
    print()


if __name__ == "__main__":
    main(sys.argv[1:])
