"""Tables of numbers as Markdown, CSV or JSON. Knows nothing of what the numbers mean."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from costeer_evals.statistics import Interval

Cell: TypeAlias = str | float | int | Interval | None
NOTHING = "–"  # noqa: RUF001  (a dash that means "no number")


@dataclass(frozen=True, slots=True)
class Column:
    """A heading, and its number of decimals."""

    name: str
    digits: int = 2


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes:
        title: the line above the table.
        columns: one per cell of a row.
        rows: the first cell of each names the row.
        notes: the lines below the table.
    """

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    notes: Sequence[str] = field(default=())


def markdown(tables: Iterable[Table]) -> str:
    """Format tables as Markdown, separated by empty lines."""
    return "\n\n".join(_markdown(table) for table in tables) + "\n"


def _markdown(table: Table) -> str:
    lines = [[column.name for column in table.columns]]
    lines += [
        [_format(cell, column.digits) for cell, column in zip(row, table.columns, strict=True)]
        for row in table.rows
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(table.columns))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    body = [_line(lines[0], widths), _line(rule, widths)]
    body += [_line(line, widths) for line in lines[1:]]
    notes = [f"- {note}" for note in table.notes]
    return "\n".join([f"**{table.title}**", "", *body, *([""] if notes else []), *notes])


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if i == 0 else cell.rjust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return "| " + " | ".join([first, *others]) + " |"


def _format(cell: Cell, digits: int) -> str:
    if isinstance(cell, Interval):
        ends = f"[{_number(cell.low, digits)}, {_number(cell.high, digits)}]"
        return f"{_number(cell.estimate, digits)} {ends}"
    if isinstance(cell, float):
        return _number(cell, digits)
    return NOTHING if cell is None else str(cell)


def _number(value: float, digits: int) -> str:
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    return f"{round(value, digits) + 0.0:.{digits}f}"  # -0.0 + 0.0 is 0.0


def as_csv(tables: Iterable[Table]) -> str:
    """Format tables as CSV, one after another; an interval takes three columns."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, table in enumerate(tables):
        if number:
            writer.writerow([])
        writer.writerow([f"# {table.title}"])
        spread = [
            any(isinstance(row[i], Interval) for row in table.rows)
            for i in range(len(table.columns))
        ]
        names: list[str] = []
        for column, wide in zip(table.columns, spread, strict=True):
            names += [column.name, f"{column.name} low", f"{column.name} high"][: 3 if wide else 1]
        writer.writerow(names)
        for row in table.rows:
            cells: list[Any] = []
            for cell, wide in zip(row, spread, strict=True):
                cells += _spread(cell) if wide else [cell]
            writer.writerow(cells)
    return text.getvalue()


def _spread(cell: Cell) -> list[Any]:
    if isinstance(cell, Interval):
        return [cell.estimate, cell.low, cell.high]
    return [cell, None, None]


def as_json(tables: Iterable[Table]) -> str:
    """Format tables as a JSON list; a row is an object, numbers that are not finite are null."""
    return json.dumps(
        [
            {
                "title": table.title,
                "rows": [
                    {c.name: _plain(cell) for c, cell in zip(table.columns, row, strict=True)}
                    for row in table.rows
                ],
                "notes": list(table.notes),
            }
            for table in tables
        ],
        ensure_ascii=False,
    )


def _plain(cell: Cell) -> Any:
    if isinstance(cell, Interval):
        return {name: _plain(getattr(cell, name)) for name in ("estimate", "low", "high")}
    return None if isinstance(cell, float) and not math.isfinite(cell) else cell
