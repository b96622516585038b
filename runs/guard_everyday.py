"""What the guard costs on the default pair: everyday requests without it and with it.

Usage: python runs/guard_everyday.py [DATA.jsonl]

Writes the everyday requests in whose context the rules find a value to guard (20 of the 72 that the
project ships; or those of a file of the same form), each without a guard and with "stand-in", 90
tokens at the default strength. The other requests are the same with and without. Rows go to ``OUT``
(default ``results/guard_cpu``) and hold no text; a stopped run continues where it was. Half an hour
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
from costeer_evals.samples import Sample
from costeer_evals.statistics import paired_bootstrap
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.everyday import TASK

OUT = Path(os.environ.get("OUT", "results/guard_cpu"))
MAX_TOKENS = 90
MODES = ("off", "stand-in")


def main(data: Path | None) -> None:
    """Write what is missing, then print the tables."""
    OUT.mkdir(parents=True, exist_ok=True)
    file = OUT / "rows.jsonl"
    rows = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    done = {(row["sample"], row["guard"]) for row in rows}
    samples = [sample for sample in TASK.load(data, LoadOptions()) if has_values(sample)]
    with Costeer.from_settings(Settings()) as costeer, file.open("a") as writing:
        for sample in samples:
            for mode in MODES:
                if (sample.id, mode) not in done:
                    rows.append(answer(costeer, sample, mode))
                    writing.write(json.dumps(rows[-1]) + "\n")
                    writing.flush()
    print(report(rows))


def has_values(sample: Sample) -> bool:
    """Whether the guard would replace anything."""
    question: Message = {"role": "user", "content": sample.query}
    return Guard("stand-in").prepare([question], sample.context).active


def answer(costeer: Costeer, sample: Sample, mode: Any) -> dict[str, Any]:
    """One row; the stand-ins of a sample are the same whenever the script runs."""
    costeer.protection = Protection(Guard(mode, (), random.Random(sample.id)), None)  # noqa: S311 - a fixed seed
    result = costeer.generate(sample.query, sample.context, max_tokens=MAX_TOKENS)
    written = costeer.slm.tokenizer.decode_bytes(result.token_ids).decode("utf-8", "replace")
    scores = adherence(result.text, sample.needs or "", sample.forbids)
    words = sorted(result.conversation.stand_ins.words) if result.conversation else []
    return {
        "sample": sample.id,
        "guard": mode,
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
    """A table in Markdown."""
    by = {mode: {r["sample"]: r for r in rows if r["guard"] == mode} for mode in MODES}
    off, on = ([by[mode][name] for name in sorted(by[MODES[1]])] for mode in MODES)
    gap = paired_bootstrap([b["respected"] - a["respected"] for a, b in zip(off, on, strict=True)])
    speed = [sum(r["tokens"] for r in part) / sum(r["seconds"] for r in part) for part in (off, on)]
    counts = [sum(row[key] for row in on) for key in ("written", "left", "garbled")]
    respected = [sum(row["respected"] for row in part) for part in (off, on)]
    return "\n".join(
        [
            "| guarded requests | respected, off | stand-in | difference [95 %] "
            "| speed, stand-in / off | stand-ins written | left | garbled |",
            "|---|---|---|---|---|---|---|---|",
            f"| {len(on)} requests | {respected[0]} | {respected[1]} | {gap.estimate:+.2f} "
            f"[{gap.low:+.2f}, {gap.high:+.2f}] | {speed[1] / speed[0]:.2f} "
            f"| {counts[0]} | {counts[1]} | {counts[2]} |",
        ]
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
