"""CoGenesis with what a profile reads: the person's records alone, and among 200 others.

Usage: python runs/profile_cogenesis.py COGENESIS_DEV.json FOLDER [ROWS]

The lines of a row's description become facts, its four earlier texts samples; the others are those
of runs/profile_datasets.py, without any by the same person. Writes ``alone.json`` and
``among.json`` in the form of CoGenesis, for ROWS rows (default 16, evenly spread), and prints how
much of what is read is the person's.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from costeer.profile.records import Draft
from profile_datasets import OTHERS, author, other_records, read


def main(source: str, folder: str, rows: str = "16") -> None:
    """Write the data sets and print a summary."""
    items = json.loads(Path(source).read_text("utf-8"))
    chosen = [items[len(items) * i // int(rows)] for i in range(int(rows))]
    parts = [read_both(item, Path(source)) for item in chosen]
    for number, name in enumerate(("alone", "among")):
        data = [as_row(item, part[number]) for item, part in zip(chosen, parts, strict=True)]
        (Path(folder) / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    kept = [sum(len(text) for text in among if text in alone) for alone, among in parts]
    own = sum(sum(map(len, alone)) for alone, _ in parts)
    read_in_all = sum(sum(map(len, among)) for _, among in parts)
    print(f"{len(parts)} rows of CoGenesis, {OTHERS} unrelated records in each profile.")
    print(f"Of the characters read alone, {sum(kept) / own:.0%} are read among the others, too.")
    print(f"Of the characters read among the others, {sum(kept) / read_in_all:.0%} are those.")


def read_both(item: dict[str, Any], source: Path) -> tuple[list[str], list[str]]:
    """The texts that are read alone, and among the others."""
    facts = [line for line in item["additional_profile"].splitlines() if line.strip()]
    samples = [f"{past['title']}\n{past['text']}" for past in item["profile"]]
    own = [Draft("fact", text) for text in facts] + [Draft("sample", text) for text in samples]
    query = item["conversations"][0]["value"]
    return read(query, own, []), read(query, own, other_records(source, author(item)))


def as_row(item: dict[str, Any], texts: list[str]) -> dict[str, Any]:
    """A row of CoGenesis whose description is what was read."""
    return item | {"additional_profile": "\n".join(texts), "profile": []}


if __name__ == "__main__":
    main(*sys.argv[1:])
