"""Ratings as scores of their rows, and what is compared if some are missing.

Methods are compared on the samples that every rated method has a rating for, so that differences
stay paired; missing ratings are counted. A method that was not rated at all has no number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from costeer.exceptions import InputError
from costeer_evals.run import results
from costeer_evals.run.rating import describe_rater
from costeer_evals.run.results import ResultContents, ResultRow

if TYPE_CHECKING:
    from costeer_evals.report.sections import MethodColumn, Section

HEADINGS: Mapping[str, str] = {
    "overall": "judge, overall",
    "personal": "judge, personal",
    "armorm": "ArmoRM",
}


def merge_ratings(contents: ResultContents) -> None:
    """Add ratings to the scores of their rows; ratings of other rows or texts are ignored.

    Raises:
        InputError: two raters gave ratings of one kind.
    """
    raters: dict[str, Mapping[str, Any]] = {}
    for rating in contents.ratings:
        key = results.key_of(rating)
        row = contents.rows.get(key)
        if row is None or not _belongs(rating, row):
            continue
        found = {name: value for name, value in rating["scores"].items() if value is not None}
        for name in found:
            first = raters.setdefault(name, rating["rater"])
            if first != rating["rater"]:
                raise InputError(
                    f"The ratings ({HEADINGS.get(name, name)}) are by two raters: "
                    f"{describe_rater(first)} and {describe_rater(rating['rater'])}.",
                    "Show them one after another.",
                )
        contents.rows[key] = {**row, "scores": {**row["scores"], **found}}


def _belongs(rating: ResultRow, row: ResultRow) -> bool:
    """Whether the rating is of the row's text; old rows have no hash of it."""
    same = all(rating[name] == row[name] for name in ("run", "texts"))
    return same and row.get("answer", rating["answer"]) == rating["answer"]


def comparable(section: Section, score: str) -> Section:
    """The part of a section whose methods can be compared by a score.

    For a rating: the rated methods, and the samples that all of them have a rating for. For other
    scores: the whole section.
    """
    if score not in HEADINGS:
        return section
    columns = [column for column in section.columns if any(_ratings(column, score))]
    kept = [
        place
        for place in range(len(section.samples))
        if columns
        and all(column.rows[place]["scores"].get(score) is not None for column in columns)
    ]
    return replace(
        section,
        columns=[replace(column, rows=[column.rows[i] for i in kept]) for column in columns],
        samples=[section.samples[i] for i in kept],
        groups=[section.groups[i] for i in kept],
    )


def _ratings(column: MethodColumn, score: str) -> list[bool]:
    """Whether each sample has a rating."""
    return [row["scores"].get(score) is not None for row in column.rows]


def notes(section: Section) -> list[str]:
    """Notes on missing ratings."""
    found = []
    for score, heading in HEADINGS.items():
        given = {column.label: _ratings(column, score) for column in section.columns}
        missing = sum(any(has) * has.count(False) for has in given.values())
        if missing:
            count = f"{len(comparable(section, score).samples)} of {len(section.samples)}"
            found.append(
                f"{heading}: on the {count} samples for which every rated method has a rating; "
                f"{missing} ratings are missing."
            )
        unrated = [label for label, has in given.items() if not any(has)]
        if unrated and len(unrated) < len(given):
            found.append(f"{heading}: not rated at all are {', '.join(unrated)}.")
    return found
