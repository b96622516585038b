"""Scores of texts and of option choices under every method.

Overlap is shown times 100, as in papers; shares of texts are percentages. Differences to the LLM
without context are paired, with a bootstrap over samples (or groups of them) and a sign-flip test.
For true-or-false scores that test is the exact McNemar test, up to its random flips. Ratings are
means over the samples that every rated method has a rating for (``ratings``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from costeer_evals.methods.plain import Plain
from costeer_evals.report import ratings
from costeer_evals.report.sections import MethodColumn, Section
from costeer_evals.report.table import Cell, Column, Table
from costeer_evals.statistics import Interval, holm, paired_bootstrap, sign_flip_test, wilson

BASE = Plain("llm_without").key()


class ScoreColumn(NamedTuple):
    """A score in a table: its name in rows, its heading, a factor, and the decimals."""

    name: str
    heading: str
    factor: float
    digits: int


ADHERENCE = (
    ScoreColumn("respected", "respected, %", 100, 1),
    ScoreColumn("mentions", "mentions, %", 100, 1),
    ScoreColumn("violates", "violates, %", 100, 1),
    ScoreColumn("asides", "asides", 1, 2),
)
CHOICE = (
    ScoreColumn("margin", "margin, nats a token", 1, 3),
    ScoreColumn("correct", "right option, %", 100, 1),
)
OVERLAP = (
    ScoreColumn("rouge_1", "R-1", 100, 2),
    ScoreColumn("rouge_l", "R-L", 100, 2),
    ScoreColumn("meteor", "MET", 100, 2),
)
RATED = tuple(
    ScoreColumn(name, heading, 1, 4 if name == "armorm" else 2)
    for name, heading in ratings.HEADINGS.items()
)
FORM = (
    ScoreColumn("artefact", "artefacts, %", 100, 1),
    ScoreColumn("refusal", "refusals, %", 100, 1),
    ScoreColumn("distinct_1", "distinct-1", 1, 3),
    ScoreColumn("distinct_2", "distinct-2", 1, 3),
    ScoreColumn("repeated_4", "repeated-4", 1, 3),
    ScoreColumn("length", "words", 1, 1),
)
NLL = (ScoreColumn("nats_llm_with", "nats to LLM w/", 1, 3),)
ALL = (*ADHERENCE, *CHOICE, *OVERLAP, *RATED, *FORM, *NLL)
SHARES = ("respected", "correct")
"""Shares of texts, shown with Wilson's interval."""
MEANS = ("asides", "margin")
"""Means over texts, shown with a bootstrap interval."""
HEADLINES = ("respected", "margin", "rouge_l", "repeated_4")
"""The score that sums up a section is the first of these that its rows have."""


def table(section: Section, seed: int = 0) -> Table:
    """A table with one row per method; differences are of the headline score."""
    scores = [score for score in ALL if _has(section, score.name)]
    columns = [Column("Method"), *(Column(s.heading, s.digits) for s in scores)]
    if section.kind == "generate":
        columns.append(Column("steps changed, %", 1))
    name, heading, factor, digits = headline(section)
    compared = name != HEADLINES[-1] and section.find(BASE) is not None
    if compared:
        columns.append(Column(f"{heading}, difference to LLM w/o [95 %]", digits))
        columns.append(Column("p, Holm", 4))
    differences = differences_to_base(section, name, factor, seed) if compared else {}
    rows = []
    for column in section.columns:
        cells: list[Cell] = [column.label]
        cells += [_cell(section, column.key, score, seed) for score in scores]
        if section.kind == "generate":
            cells.append(changed_percent(column))
        if compared:
            cells += differences.get(column.key, (None, None))
        rows.append(cells)
    return Table(section.title, columns, rows, [*section.notes, *ratings.notes(section)])


def headline(section: Section) -> ScoreColumn:
    """The score that sums up a section."""
    found = next((name for name in HEADLINES if _has(section, name)), HEADLINES[-1])
    return next(score for score in ALL if score.name == found)


def _cell(section: Section, key: str, score: ScoreColumn, seed: int) -> Cell:
    """A method's mean; the scores that a section is about have an interval."""
    name, _, factor, _ = score
    column = section.find(key)
    values = column.values(name) if column is not None else None
    if values and name in SHARES:
        found = wilson(round(sum(values)), len(values))
    elif values and name in MEANS:
        found = paired_bootstrap(values, section.groups, seed=seed)
    else:
        return mean(section, key, name, factor)
    return Interval(factor * found.estimate, factor * found.low, factor * found.high)


def by_topic(section: Section) -> Table | None:
    """The share of respecting texts, or of right choices, by kind of request.

    None if the benchmark has no kinds.
    """
    score = next(
        (score for score in ALL if score.name in SHARES and _has(section, score.name)), None
    )
    topics = [row.get("topic") for row in section.columns[0].rows]
    if score is None or None in topics:
        return None
    name, heading, factor, digits = score
    labels = [column.label for column in section.columns]
    columns = [Column("Kind"), Column("samples"), *(Column(label, digits) for label in labels)]
    rows: list[list[Cell]] = []
    for topic in dict.fromkeys(topics):
        places = [i for i, other in enumerate(topics) if other == topic]
        shares = [
            factor * float(np.mean([column.rows[i]["scores"][name] for i in places]))
            for column in section.columns
        ]
        rows.append([str(topic), len(places), *shares])
    return Table(f"{section.title}: {heading} by kind", columns, rows)


def differences_to_base(
    section: Section, score: str, factor: float = 100, seed: int = 0
) -> dict[str, tuple[Interval, float]]:
    """Each method minus the LLM without context, times a factor, and Holm-corrected p-values."""
    base = section.find(BASE)
    if base is None:
        return {}
    values = base.values(score)
    if values is None:
        return {}
    intervals, p_values = {}, {}
    for column in section.columns:
        other = column.values(score)
        if column.key != BASE and other is not None:
            gaps = factor * (np.array(other) - np.array(values))
            intervals[column.key] = paired_bootstrap(gaps, section.groups, seed=seed)
            p_values[column.key] = sign_flip_test(gaps, section.groups, seed=seed)
    adjusted = holm(list(p_values.values()))
    return {key: (intervals[key], float(p)) for key, p in zip(p_values, adjusted, strict=True)}


def changed_percent(column: MethodColumn) -> float | None:
    """The percentage of steps at which the LLM alone would have chosen another token."""
    counts = [row.get("changed") for row in column.rows]
    steps = sum(int(row.get("steps", 0)) for row in column.rows)
    if None in counts or not steps:
        return None
    return 100 * sum(int(count or 0) for count in counts) / steps


def tokens_per_second(columns: Sequence[MethodColumn]) -> float | None:
    """Decoding speed without the prompts; reused texts do not count."""
    rows = [row for column in columns for row in column.rows if "decode" in row["seconds"]]
    seconds = sum(row["seconds"]["decode"] for row in rows)
    return sum(row["steps"] for row in rows) / seconds if seconds else None


def _has(section: Section, score: str) -> bool:
    columns = ratings.comparable(section, score).columns
    return any(column.values(score) is not None for column in columns)


def mean(section: Section, key: str, score: str, factor: float = 1) -> float | None:
    """A method's mean of a score; None if it has no such score."""
    column = ratings.comparable(section, score).find(key)
    values = column.values(score) if column is not None else None
    return factor * float(np.mean(values)) if values else None
