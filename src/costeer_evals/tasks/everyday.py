"""Everyday requests: what people ask, and what in their context the answer must respect.

Data: ``data/everyday.jsonl``, written for this project; see the README beside it. Rows of other
files have the same form: ``{"id", "context", "query", "needs", "forbids"}``, the last two
regular expressions (see ``metrics.adherence``), ``forbids`` possibly null; ``kind`` and ``half``
("dev" or "test") are optional.
"""

from __future__ import annotations

import re
from importlib.resources import as_file, files
from pathlib import Path

from costeer_evals.metrics.adherence import FLAGS
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Sample
from costeer_evals.tasks.private import private_turn

HALVES = {"dev": "tune", "test": "test"}
SHIPPED = files("costeer_evals") / "data" / "everyday.jsonl"


class Everyday:
    """The everyday requests."""

    name = "everyday"
    metrics: frozenset[Metric] = frozenset()

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load a file, or the set that ships with CoSteer; see ``Task.load``."""
        if source is not None:
            return [_sample(row) for row in rows.read(source, options.limit)]
        with as_file(SHIPPED) as shipped:
            return [_sample(row) for row in rows.read(shipped, options.limit)]


def _sample(row: rows.DataRow) -> Sample:
    query, name = row.text("query"), row.name("id")
    needs = _expression(row, "needs")
    forbids = None if row.values.get("forbids") is None else _expression(row, "forbids")
    return Sample(
        id=name,
        query=query,
        context_prompt=private_turn(query, row.text("context")),
        context=row.text("context"),
        reference=None,
        group=name,
        kind=row.text("kind") if "kind" in row.values else "",
        needs=needs,
        forbids=forbids,
        half=HALVES.get(str(row.values.get("half")), ""),
    )


def _expression(row: rows.DataRow, key: str) -> str:
    text = row.text(key)
    try:
        re.compile(text, FLAGS)
    except re.error:
        raise row.error(f"the text under {key!r} is not a regular expression.") from None
    return text


TASK = Everyday()
