"""Two data sets of everyday requests: with the person's records alone, and among 200 others.

Usage: python runs/profile_datasets.py COGENESIS_DEV.json FOLDER

Every record of a request's context becomes a fact of a new profile. The others are paragraphs of
other people's texts in a file of CoGenesis (arXiv 2403.03129): a hundred writing samples and a
hundred documents. What the profile then reads for the request is the context of the data set.
Prints how much of the others is read, and writes the requests for which any is to ``alone.jsonl``
and ``among.jsonl``. For all others the context, and with it the answer, is the same.

The same for eight rows of CoGenesis: the lines of a row's description become facts, its four
earlier texts samples, and none of the others is by the same person. These rows are written to
``alone.json`` and ``among.json``, in the form of CoGenesis.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from costeer.profile import keys
from costeer.profile.database import Database
from costeer.profile.profiles import Profile
from costeer.profile.records import Draft
from costeer.profile.selection import Selection, context_list
from costeer.profile.store import Store

OTHERS = 200
ROWS = 8
SHORTEST, LONGEST = 200, 600
"""Characters of a paragraph that becomes a record."""


def main(source: str, folder: str) -> None:
    """Write the data sets and print a summary."""
    others = other_records(Path(source))
    shipped = files("costeer_evals").joinpath("data/everyday.jsonl").read_text("utf-8")
    cases = [json.loads(line) for line in shipped.splitlines()]
    alone = [case | {"context": read_context(case, [])} for case in cases]
    among = [case | {"context": read_context(case, others)} for case in cases]
    pairs = list(zip(alone, among, strict=True))
    differing = [pair for pair in pairs if pair[0]["context"] != pair[1]["context"]]
    for name, rows in zip(("alone", "among"), zip(*differing, strict=True), strict=False):
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (Path(folder) / f"{name}.jsonl").write_text(lines, "utf-8")
    first = sum(b["context"].startswith(a["context"]) for a, b in pairs)
    print(f"{len(pairs)} requests, {len(others)} unrelated records in each profile.")
    print(f"The person's own records are all read, and first, in {first}.")
    print(f"Others are read beside them in {len(differing)}.")
    cogenesis(Path(source), Path(folder))


def cogenesis(source: Path, folder: Path) -> None:
    """The same for rows of CoGenesis."""
    items = json.loads(source.read_text("utf-8"))
    chosen = [items[len(items) * i // ROWS] for i in range(ROWS)]
    parts = [read_both(item, source) for item in chosen]
    for number, name in enumerate(("alone", "among")):
        data = [as_row(item, part[number]) for item, part in zip(chosen, parts, strict=True)]
        (folder / f"{name}.json").write_text(json.dumps(data, ensure_ascii=False), "utf-8")
    kept = sum(len(text) for alone, among in parts for text in among if text in alone)
    own, read_in_all = (sum(len(text) for part in parts for text in part[i]) for i in (0, 1))
    print(f"{ROWS} rows of CoGenesis, {OTHERS} unrelated records in each profile.")
    print(f"Of the characters read alone, {kept / own:.0%} are read among the others, too.")
    print(f"Of the characters read among the others, {kept / read_in_all:.0%} are those.")


def other_records(source: Path, person: str | None = None) -> list[Draft]:
    """Paragraphs of the file's texts, evenly spread over it; none by ``person``."""
    paragraphs = {
        paragraph.strip()
        for item in json.loads(source.read_text("utf-8"))
        if author(item) != person
        for turn in item["conversations"]
        if turn["from"] == "assistant"
        for paragraph in re.split(r"\n\s*\n", turn["value"])
        if SHORTEST <= len(paragraph.strip()) <= LONGEST
    }
    found = sorted(paragraphs)
    if len(found) < OTHERS:
        sys.exit(f"{source} has {len(found)} paragraphs that will do; {OTHERS} are needed.")
    spread = [found[len(found) * i // OTHERS] for i in range(OTHERS)]
    return [Draft("sample" if i % 2 else "document", text) for i, text in enumerate(spread)]


def author(item: dict[str, str]) -> str:
    """Who wrote a text of the file: its name without the number of the text."""
    return item["tid"].rpartition("_")[0]


def read_context(case: dict[str, str], others: list[Draft]) -> str:
    """What a profile of the person's records and ``others`` reads for the request."""
    own = [Draft("fact", record) for record in re.split(r"\n\s*\n", case["context"])]
    return "\n\n".join(read(case["query"], own, others))


def read(query: str, own: list[Draft], others: list[Draft]) -> list[str]:
    """The texts that a profile of these records reads for a question; ``own`` in the middle."""
    with tempfile.TemporaryDirectory() as folder:
        database = Database.create(Path(folder) / "profile.db", keys.new_key())
        store = Store(database)
        store.add_all([*others[: OTHERS // 2], *own, *others[OTHERS // 2 :]])
        selection = Selection()
        Profile("everyday", database).select(selection, query)
        database.close()
    return context_list(selection.chosen)


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
