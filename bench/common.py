"""What the benchmarks share: prompts, the default pair, and numbers for people."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from costeer.edge.prompts import Prompts, build
from costeer.models.base import Tokenizer
from costeer.models.files.catalog import DEFAULT_PAIR

LLM, SLM = DEFAULT_PAIR.llm, DEFAULT_PAIR.slm
PROMPTS = Path(__file__).with_name("prompts.json")
CONTEXT = 4096  # tokens each model holds


def pairs(file: Path | None = None) -> Iterator[tuple[str, str]]:
    """(query, context) of the project's own prompts, or of a file's; neighbours differ in both."""
    people = json.loads((file or PROMPTS).read_text("utf-8"))
    for turn in range(len(people[0]["queries"])):
        for person in people:
            yield person["queries"][turn], person["context"]


def prompts(tokenizer: Tokenizer, query: str, context: str, max_tokens: int) -> Prompts:
    """The two token sequences of one pair."""
    return build(tokenizer, [{"role": "user", "content": query}], context, CONTEXT - max_tokens)


def peak_megabytes(pid: int | str = "self") -> float:
    """The most memory a process has held (VmHWM; Linux), in MB of 10**6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
