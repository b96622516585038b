"""Two methods on the same samples: the difference in every score, its interval and p-value."""

from __future__ import annotations

from costeer.exceptions import ParameterError
from costeer_evals.report import likelihood, ratings, texts
from costeer_evals.report.sections import Section
from costeer_evals.report.table import Cell, Column, Table
from costeer_evals.statistics import holm, paired_bootstrap, sign_flip_test

COLUMNS = (
    Column("Score", 3),
    Column("first", 3),
    Column("second", 3),
    Column("second - first [95 %]", 3),
    Column("p, Holm", 4),
)


def table(section: Section, first: str, second: str, seed: int = 0) -> Table:
    """A table with one row per score.

    Args:
        section: with both methods.
        first: the key of one method.
        second: the key of the other.
        seed: for the bootstrap and the test.

    Raises:
        ParameterError: the section lacks one of them.
    """
    labels = []
    for key in (first, second):
        column = section.find(key)
        if column is None:
            raise ParameterError(f"There are no results of {key} for {section.task}.")
        labels.append(column.label)
    compare = _likelihoods if section.likelihoods else _texts
    rows, p_values = compare(section, first, second, seed)
    for row, p in zip(rows, holm(p_values), strict=True):
        row.append(float(p))
    notes = [f"First: {labels[0]}. Second: {labels[1]}.", *section.notes, *ratings.notes(section)]
    return Table(section.title, COLUMNS, rows, notes)


def _texts(
    section: Section, first: str, second: str, seed: int
) -> tuple[list[list[Cell]], list[float]]:
    rows: list[list[Cell]] = []
    p_values = []
    for name, heading, factor, _ in texts.ALL:
        part = ratings.comparable(section, name)
        columns = (part.find(first), part.find(second))
        a, b = (column.values(name) if column else None for column in columns)
        if a is None or b is None:
            continue
        gaps = [factor * (y - x) for x, y in zip(a, b, strict=True)]
        interval = paired_bootstrap(gaps, part.groups, seed=seed)
        mean = factor * sum(a) / len(a)
        rows.append([heading, mean, mean + interval.estimate, interval])
        p_values.append(sign_flip_test(gaps, part.groups, seed=seed))
    return rows, p_values


def _likelihoods(
    section: Section, first: str, second: str, seed: int
) -> tuple[list[list[Cell]], list[float]]:
    scored = likelihood.score_methods(section, seed)
    a, b = scored[first], scored[second]
    rows: list[list[Cell]] = []
    p_values = []
    for heading, x, y in (("NLL", a.plain, b.plain), ("NLL, calibrated", a.fitted, b.fitted)):
        ruled_out = any(text.ruled_out for one in (a, b) for text in one.texts)
        if x is None or y is None or ruled_out:
            continue
        interval, p = likelihood.difference(x, y, section.groups, seed)
        rows.append([heading, x.mean, y.mean, interval])
        p_values.append(p)
    hits = [
        [100 * text.hits / len(text) for text in one.texts] for one in (a, b)
    ]  # every text counts alike here; in the table of all methods every token does
    gaps = [y - x for x, y in zip(*hits, strict=True)]
    interval = paired_bootstrap(gaps, section.groups, seed=seed)
    mean = sum(hits[0]) / len(hits[0])
    rows.append(["accuracy by text, %", mean, mean + interval.estimate, interval])
    p_values.append(sign_flip_test(gaps, section.groups, seed=seed))
    return rows, p_values
