"""How many of a person's known values the guard finds, by rules and with costeer[detect].

Usage: python runs/detection.py [COGENESIS.json] [--show N]

Texts and the values that are known to stand in them:

- the 72 everyday requests that the project ships, annotated by hand (names, places, one
  organisation, one address);
- with the argument, the contexts of CoGenesis, whose profiles state a name and a location: as they
  are, and the person's earlier texts alone, where neither is labelled.

A value is found if every place where it stands is covered by found values; those of the level
"open" count for places only. Rows go to ``OUT`` (default ``results/detection``) and hold no text.
``--show N`` prints N things, drawn at random, that only the model finds, each with the words around
it; they are as private as the texts. Two minutes on two cores. Prints Markdown.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from costeer.edge.prompts import RECORD_BREAK
from costeer.privacy.entities import load_entities
from costeer.privacy.finding import pairs_to_find
from costeer.privacy.guard import Guard
from costeer.privacy.rewriting import Rewriter
from costeer.privacy.values import Value
from costeer_evals.statistics import wilson
from costeer_evals.tasks.base import LoadOptions
from costeer_evals.tasks.cogenesis import TASK as COGENESIS
from costeer_evals.tasks.registry import find_task

OUT = Path(os.environ.get("OUT", "results/detection"))
AROUND = 60


@dataclass(frozen=True, slots=True)
class Text:
    """A context with the values that are known to stand in it."""

    source: str
    sample: str
    context: str
    known: Sequence[Value]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found in a text, by the rules and by the model beside them."""

    text: Text
    rules: Sequence[Value]
    both: Sequence[Value]
    seconds: float

    @property
    def by_model(self) -> list[Value]:
        """What only the model found."""
        return [value for value in self.both if value not in self.rules]


def main(data: Path | None, show: int) -> None:
    """Find, write the rows, print the tables."""
    load_entities()
    texts = [*read_everyday(), *(read_cogenesis(data) if data else ())]
    found = [find(text) for text in texts]
    rows = [row for one in found for row in make_rows(one)]
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = report(rows)
    (OUT / "detection.md").write_text(table)
    print(table)
    for line in draw(found, show):
        print(line)


def read_everyday() -> Iterator[Text]:
    """The set that ships, with its annotation."""
    lines = (files("costeer_evals") / "data" / "everyday_values.tsv").read_text("utf-8")
    values = [make_value(*line.split("\t")) for line in lines.splitlines()]
    for sample in find_task("everyday").load(None, LoadOptions()):
        yield Text("everyday", sample.id, sample.context, standing(values, sample.context))


def read_cogenesis(data: Path) -> Iterator[Text]:
    """Each context as it is, and without its profile."""
    for sample in COGENESIS.load(data, LoadOptions()):
        facts = dict(line.split(":", 1) for line in sample.profile.splitlines() if ":" in line)
        place = facts.get("Location", "").split(",")[0]
        pairs = (("name", facts.get("Name", "")), ("place", place))
        values = [make_value(kind, text) for kind, text in pairs if text.strip()]
        texts = RECORD_BREAK.split(sample.context, maxsplit=1)[-1]
        for source, context in (("CoGenesis", sample.context), ("its texts", texts)):
            yield Text(source, sample.id, context, standing(values, context))


def make_value(kind: Any, text: str) -> Value:
    """A known value."""
    return Value(text.strip(), kind)


def standing(values: Sequence[Value], context: str) -> list[Value]:
    """Those that stand in the context."""
    return [value for value in values if places([value], context)]


def places(values: Sequence[Value], context: str) -> list[tuple[int, int]]:
    """The spans at which any of the values stands, in any form."""
    pairs = [pair for value in values for pair in pairs_to_find(value)]
    return [(one.start, one.end) for one in Rewriter(pairs).find(context)]


def find(text: Text) -> Finding:
    """Find with the rules, and with the model beside them."""
    rules = Guard("stand-in").values(text.context)
    began = time.monotonic()
    both = Guard("stand-in", entities=load_entities()).values(text.context)
    return Finding(text, rules, both, time.monotonic() - began)


def is_found(known: Value, found: Sequence[Value], context: str) -> bool:
    """Whether every place of a known value is covered by found ones that do what it takes."""
    counting = [one for one in found if one.level != "open" or known.kind == "place"]
    covered = {at for span in places(counting, context) for at in range(*span)}
    wanted = {at for span in places([known], context) for at in range(*span)}
    return all(at in covered or not context[at].isalnum() for at in wanted)


def make_rows(found: Finding) -> Iterator[dict[str, Any]]:
    """A row for each known value, and one for everything else that was found in the text."""
    text = found.text
    names = {"source": text.source, "sample": text.sample}
    for number, value in enumerate(text.known):
        outcomes = {
            "rules": is_found(value, found.rules, text.context),
            "both": is_found(value, found.both, text.context),
        }
        yield {**names, "value": number, "kind": value.kind, **outcomes}
    yield {
        **names,
        "characters": len(text.context),
        "others_rules": len(others(found.rules, text)),
        "others_model": len(others(found.by_model, text)),
        "stand_ins_model": sum(one.level != "open" for one in others(found.by_model, text)),
        "seconds": round(found.seconds, 3),
    }


def others(found: Sequence[Value], text: Text) -> list[Value]:
    """What was found and is no known value, nor a part of one."""
    known = {at for span in places(text.known, text.context) for at in range(*span)}
    return [
        value
        for value in found
        if not any(at in known for span in places([value], text.context) for at in range(*span))
    ]


def report(rows: Sequence[dict[str, Any]]) -> str:
    """Two tables: known values that were found, and what else was."""
    lines = ["| texts | kind | known | rules find | with the model |", "|---|---|---|---|---|"]
    groups = dict.fromkeys((row["source"], row["kind"]) for row in rows if "kind" in row)
    for source, kind in groups:
        group = [row for row in rows if (row["source"], row.get("kind")) == (source, kind)]
        shares = (share([row[way] for row in group]) for way in ("rules", "both"))
        lines.append(f"| {source} | {kind} | {len(group)} | {' | '.join(shares)} |")
    heads = ("texts", "contexts", "other things, rules", "only the model", "guarded of these",
             "ms for 1,000 characters")  # fmt: skip
    lines += ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for source in dict.fromkeys(row["source"] for row in rows):
        whole = [row for row in rows if row["source"] == source and "characters" in row]
        keys = ("others_rules", "others_model", "stand_ins_model", "seconds", "characters")
        *counts, seconds, characters = (sum(row[key] for row in whole) for key in keys)
        cells = [source, len(whole), *counts, f"{1e6 * seconds / characters:.0f}"]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


def share(outcomes: Sequence[bool]) -> str:
    """A share in percent with its interval."""
    one = wilson(sum(outcomes), len(outcomes))
    return f"{100 * one.estimate:.0f} % [{100 * one.low:.0f}, {100 * one.high:.0f}]"


def draw(found: Sequence[Finding], count: int) -> Iterator[str]:
    """Things that only the model found, with the words around them, to be read."""
    things = [
        (one.text, value)
        for one in found
        if one.text.source != "its texts"
        for value in others(one.by_model, one.text)
    ]
    for text, value in random.Random(0).sample(things, min(count, len(things))):  # noqa: S311
        at = places([value], text.context)[0][0]
        around = " ".join(text.context[max(0, at - AROUND) : at + AROUND].split())
        yield f"{text.source}  {value.kind}  {value.text}  <- {around}"


if __name__ == "__main__":
    arguments = sys.argv[1:]
    shown = 0
    if "--show" in arguments:
        place = arguments.index("--show")
        shown = int(arguments[place + 1])
        del arguments[place : place + 2]
    main(Path(arguments[0]) if arguments else None, shown)
