"""What the benchmarks share: prompts, the default pair, command line and printing."""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

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
    """The prompts of one pair as token ids."""
    return build(tokenizer, [{"role": "user", "content": query}], context, CONTEXT - max_tokens)


def peak_megabytes(pid: int | str = "self") -> float:
    """The peak memory of a process (VmHWM; Linux), in MB of 10**6 bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    return float("nan")


def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def argument_parser(doc: str | None) -> argparse.ArgumentParser:
    """A parser with ``--json``, described by the first line of a module's docstring."""
    parser = argparse.ArgumentParser(description=(doc or "").partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def print_figures(figures: Mapping[str, Any]) -> None:
    """Print one figure per line."""
    width = max(map(len, figures))
    for name, value in figures.items():
        print(
            f"{name:{width}}  {value:10.3f}"
            if isinstance(value, float)
            else f"{name:{width}}  {value}"
        )


def report(result: Any, as_json: bool, show: Callable[[Any], None] = print_figures) -> None:
    """Print a result as JSON or for people."""
    if as_json:
        print(json.dumps(result))
    else:
        show(result)
