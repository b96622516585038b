"""Everyday requests: what people ask, and what in their context the answer must respect.

Data: ``data/everyday.jsonl`` and ``data/people.jsonl``, written for this project; see the README
beside them. In ``people``, several facts are known about each person, and a request needs few of
them. Rows of other files have the same form: ``{"id", "context", "query", "needs", "forbids"}``,
the last two regular expressions (see ``metrics.adherence``), ``forbids`` possibly null; ``kind``,
``half`` ("dev" or "test"), ``asides``, an object of names and expressions, and ``sends`` are
optional.

``sends`` is the record of the context that says how to answer. The task ``sent`` has the requests
with one, and their people send it (``privacy.sending``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from itertools import islice
from pathlib import Path

from costeer.marks import SEND
from costeer_evals.metrics.adherence import FLAGS
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Sample
from costeer_evals.tasks.private import private_turn

HALVES = {"dev": "tune", "test": "test"}
DATA = files("costeer_evals") / "data"


@dataclass(frozen=True, slots=True)
class Everyday:
    """A set of everyday requests, which ships as ``data/{file}.jsonl``."""

    name: str
    file: str
    sends: bool = False
    metrics: frozenset[Metric] = frozenset()

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load a file, or the set that ships with CoSteer; see ``Task.load``."""
        if source is not None:
            return self._samples(source, options)
        with as_file(DATA / f"{self.file}.jsonl") as shipped:
            return self._samples(shipped, options)

    def _samples(self, source: Path, options: LoadOptions) -> list[Sample]:
        if not self.sends:
            return [_sample(row) for row in rows.read(source, options.limit)]
        marked = (row for row in rows.read(source) if "sends" in row.values)
        return [_send(_sample(row), row.text("sends")) for row in islice(marked, options.limit)]


def _sample(row: rows.DataRow) -> Sample:
    query, name = row.text("query"), row.name("id")
    forbids = None if row.values.get("forbids") is None else _expression(row, "forbids")
    return Sample(
        id=name,
        query=query,
        context_prompt=private_turn(query, row.text("context")),
        context=row.text("context"),
        reference=None,
        group=name,
        kind=row.text("kind") if "kind" in row.values else "",
        needs=_expression(row, "needs"),
        forbids=forbids,
        asides=_asides(row),
        half=HALVES.get(str(row.values.get("half")), ""),
    )


def _send(sample: Sample, record: str) -> Sample:
    return replace(sample, context=sample.context.replace(record, f"{SEND}\n{record}"))


def _asides(row: rows.DataRow) -> tuple[str, ...]:
    """The expressions under "asides"; their names may be private, so no message has one."""
    found = row.values.get("asides")
    if found is None:
        return ()
    if not isinstance(found, Mapping) or not found:
        raise row.error("there is no object of regular expressions under 'asides'.")
    if not all(isinstance(text, str) and text.strip() for text in found.values()):
        raise row.error("something under 'asides' is not a text.")
    return tuple(_compilable(row, text, "a text under 'asides'") for text in found.values())


def _expression(row: rows.DataRow, key: str) -> str:
    return _compilable(row, row.text(key), f"the text under {key!r}")


def _compilable(row: rows.DataRow, text: str, what: str) -> str:
    try:
        re.compile(text, FLAGS)
    except re.error:
        raise row.error(f"{what} is not a regular expression.") from None
    return text


TASKS = (
    Everyday("everyday", "everyday"),
    Everyday("people", "people"),
    Everyday("sent", "everyday", sends=True),
)
