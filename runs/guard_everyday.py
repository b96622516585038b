"""What the guard costs on the default pair: everyday requests without it and with it.

Usage: python runs/guard_everyday.py [DATA.jsonl]

Writes the everyday requests in whose context the rules find a value to guard (27 of the 72 that the
project ships; or those of a file of the same form), each
without a guard and three times with "stand-in", each time with other stand-ins, 90 tokens at the
default strength. The other requests are the same with and without. Rows go to ``OUT`` (default
``results/guard_cpu``) and hold no text; a stopped run continues where it was. A quarter of an hour
on two cores. Prints Markdown.

Words of stand-ins are counted where the models wrote them, and where the person still reads them.
A word is *garbled* if it begins with a capital, is no stand-in, and is within about two letters of
one ("Burtwistle" of "Birtwistle").
"""

from __future__ import annotations

import difflib
import json
import os
import random
import re
import sys
from pathlib import Path
from typing import Any

from costeer import Costeer
from costeer.edge.protection import Protection
from costeer.models.base import Message
from costeer.privacy.guard import Guard
from costeer.settings import Settings
from costeer_evals.metrics.adherence import adherence
from costeer_evals.statistics import paired_bootstrap
from costeer_evals.tasks.base import LoadOptions, Sample
from costeer_evals.tasks.registry import find_task

OUT = Path(os.environ.get("OUT", "results/guard_cpu"))
MAX_TOKENS = 90
MODES = ("off", "stand-in")
COUNTS = ("written", "left", "garbled")
DRAWS = {"off": 1, "stand-in": 3}
WAYS = [(mode, draw) for mode, draws in DRAWS.items() for draw in range(draws)]


def main(data: Path | None) -> None:
    """Write what is missing, then print the tables."""
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["sample"], row["guard"], row["draw"]) for row in rows}
    samples = [
        sample for sample in find_task("everyday").load(data, LoadOptions()) if has_values(sample)
    ]
    with Costeer.from_settings(Settings()) as costeer, file.open("a") as writing:
        for sample in samples:
            for mode, draw in WAYS:
                if (sample.id, mode, draw) not in done:
                    rows.append(answer(costeer, sample, mode, draw))
                    writing.write(json.dumps(rows[-1]) + "\n")
                    writing.flush()
    print(report(rows))


def has_values(sample: Sample) -> bool:
    """Whether the guard would replace anything."""
    question: Message = {"role": "user", "content": sample.query}
    return Guard("stand-in").prepare([question], sample.context).active


def answer(costeer: Costeer, sample: Sample, mode: Any, draw: int) -> dict[str, Any]:
    """One row; the stand-ins of a sample and a draw are the same whenever the script runs."""
    rng = random.Random(f"{sample.id} {draw}")  # noqa: S311 - a fixed seed
    costeer.protection = Protection(Guard(mode, (), rng), None)
    result = costeer.generate(sample.query, sample.context, max_tokens=MAX_TOKENS)
    written = costeer.slm.tokenizer.decode_bytes(result.token_ids).decode("utf-8", "replace")
    scores = adherence(result.text, sample.needs or "", sample.forbids)
    words = sorted(result.conversation.stand_ins.words) if result.conversation else []
    return {
        "sample": sample.id,
        "guard": mode,
        "draw": draw,
        "respected": scores.respected,
        "mentions": scores.mentions,
        "violates": scores.violates,
        "tokens": result.steps,
        "seconds": round(result.seconds, 2),
        **count_stand_ins(words, written, result.text),
    }


def count_stand_ins(words: list[str], written: str, shown: str) -> dict[str, int]:
    """How many words of stand-ins were written, are left, and are garbled."""
    there = [word.casefold() for word in re.findall(r"[^\W_]+", shown)]
    wrote = [word.casefold() for word in re.findall(r"[^\W_]+", written)]
    capitals = {word.casefold() for word in re.findall(r"[A-Z][^\W\d_]{4,}", shown)}
    close = [
        word
        for word in capitals
        if word not in words and difflib.get_close_matches(word, words, 1, 0.8)
    ]
    return {
        "written": sum(word in words for word in wrote),
        "left": sum(word in words for word in there),
        "garbled": len(close),
    }


def report(rows: list[dict[str, Any]]) -> str:
    """A table in Markdown; a request counts with the mean of its draws."""
    by = {mode: by_sample(rows, mode) for mode in MODES}
    names = sorted(by["stand-in"])
    shares = {mode: [mean(by[mode][name], "respected") for name in names] for mode in MODES}
    gaps = [on - off for off, on in zip(shares["off"], shares["stand-in"], strict=True)]
    gap = paired_bootstrap(gaps)
    speed = {mode: sum(map(rate, (r for n in names for r in by[mode][n]))) for mode in MODES}
    per_answer = speed["stand-in"] / DRAWS["stand-in"] / speed["off"]
    guarded = [row for name in names for row in by["stand-in"][name]]
    written, left, garbled = (sum(r[key] for r in guarded) for key in COUNTS)
    return "\n".join(
        [
            "| guarded requests | respected, off | stand-in | difference [95 %] "
            "| speed, stand-in / off | stand-ins written | left | garbled |",
            "|---|---|---|---|---|---|---|---|",
            f"| {len(names)} requests | {sum(shares['off']):.1f} | {sum(shares['stand-in']):.1f} "
            f"| {gap.estimate:+.2f} [{gap.low:+.2f}, {gap.high:+.2f}] | {per_answer:.2f} "
            f"| {written} | {left} | {garbled} |",
        ]
    )


def by_sample(rows: list[dict[str, Any]], mode: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of a mode by sample."""
    result: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        if row["guard"] == mode:
            result.setdefault(row["sample"], []).append(row)
    return result


def mean(rows: list[dict[str, Any]], key: str) -> float:
    """The mean of a column."""
    return float(sum(row[key] for row in rows) / len(rows))


def rate(row: dict[str, Any]) -> float:
    """Tokens a second of one answer."""
    return float(row["tokens"] / row["seconds"])


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
