"""What texts are worth under every method, and how far each is from the LLM without context.

Overlap is shown times 100, as papers do. Differences are paired, with a bootstrap over samples (or
groups of them) and a sign-flip test; positive is better. Ratings are means over the samples that
every rated method has one for (``rated``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np

from costeer.evals.methods.plain import Plain
from costeer.evals.report import rated
from costeer.evals.report.collect import Column as MethodColumn
from costeer.evals.report.collect import Section
from costeer.evals.report.grid import Cell, Column, Grid
from costeer.evals.statistics import Interval, holm, paired_bootstrap, sign_flip_test

BASE = Plain("llm_without").key()
Score: TypeAlias = tuple[str, str, float, int]
"""Name in a row, heading, factor, digits."""

OVERLAP: tuple[Score, ...] = (
    ("rouge_1", "R-1", 100, 2),
    ("rouge_l", "R-L", 100, 2),
    ("meteor", "MET", 100, 2),
)
RATED: tuple[Score, ...] = tuple(
    (name, heading, 1, 4 if name == "armorm" else 2) for name, heading in rated.HEADINGS.items()
)
FORM: tuple[Score, ...] = (
    ("distinct_1", "distinct-1", 1, 3),
    ("distinct_2", "distinct-2", 1, 3),
    ("repeated_4", "repeated-4", 1, 3),
    ("length", "words", 1, 1),
)
JUDGED: tuple[Score, ...] = (("nats_llm_with", "nats to LLM w/", 1, 3),)
ALL = (*OVERLAP, *RATED, *FORM, *JUDGED)
COMPARED = "rouge_l"


def table(section: Section, seed: int = 0) -> Grid:
    """One row for each method; differences are of ROUGE-L where there are references."""
    scores = [score for score in ALL if _has(section, score[0])]
    columns = [Column("Method"), *(Column(name, digits) for _, name, _, digits in scores)]
    columns.append(Column("steps changed, %", 1))
    compared = _has(section, COMPARED) and section.find(BASE) is not None
    if compared:
        columns += [Column("R-L, difference to LLM w/o [95 %]"), Column("p, Holm", 4)]
    differences = against(section, COMPARED, seed) if compared else {}
    rows = []
    for column in section.columns:
        cells: list[Cell] = [column.label]
        cells += [mean(section, column.key, name, factor) for name, _, factor, _ in scores]
        cells.append(changed(column))
        if compared:
            cells += differences.get(column.key, (None, None))
        rows.append(cells)
    return Grid(section.title, columns, rows, [*section.notes, *rated.notes(section)])


def against(section: Section, score: str, seed: int = 0) -> dict[str, tuple[Interval, float]]:
    """Every method minus the LLM without context, times 100, and Holm-corrected p-values."""
    base = section.find(BASE)
    if base is None:
        return {}
    values = np.array(base.values(score))
    intervals, p_values = {}, {}
    for column in section.columns:
        if column.key != BASE:
            gaps = 100 * (np.array(column.values(score)) - values)
            intervals[column.key] = paired_bootstrap(gaps, section.groups, seed=seed)
            p_values[column.key] = sign_flip_test(gaps, section.groups, seed=seed)
    adjusted = holm(list(p_values.values()))
    return {key: (intervals[key], float(p)) for key, p in zip(p_values, adjusted, strict=True)}


def changed(column: MethodColumn) -> float | None:
    """At how many of 100 steps the LLM alone would have chosen otherwise."""
    counts = [row.get("changed") for row in column.rows]
    steps = sum(int(row.get("steps", 0)) for row in column.rows)
    if None in counts or not steps:
        return None
    return 100 * sum(int(count or 0) for count in counts) / steps


def tokens_per_second(columns: Sequence[MethodColumn]) -> float | None:
    """Decoding alone, prompts excluded; texts that were reused do not count."""
    rows = [row for column in columns for row in column.rows if "decode" in row["seconds"]]
    seconds = sum(row["seconds"]["decode"] for row in rows)
    return sum(row["steps"] for row in rows) / seconds if seconds else None


def _has(section: Section, score: str) -> bool:
    columns = rated.within(section, score).columns
    return bool(columns) and all(column.values(score) is not None for column in columns)


def mean(section: Section, key: str, score: str, factor: float = 1) -> float | None:
    """A method's mean, if it has that score."""
    column = rated.within(section, score).find(key)
    values = column.values(score) if column is not None else None
    return factor * float(np.mean(values)) if values else None
