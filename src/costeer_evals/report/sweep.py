"""A sweep over CoSteer's gain: which gains to run, and a table by gain.

Figure 2 of arXiv 2507.04756 varies alpha, beta, lambda, eta and T one at a time. All they do is
set one number, the gain (``decoding.steering``), so a sweep over gains contains all of these
curves. ``figure_2_points`` says which gain each setting amounts to.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costeer.decoding.steering import PAPER, USEFUL_GAIN, GainWarning, SteeringParams, gain
from costeer_evals.methods.costeer import LIGHT_GAIN, PAPER_GAIN, CoSteer
from costeer_evals.report import likelihood, texts
from costeer_evals.report.sections import MethodColumn, Section
from costeer_evals.report.table import Cell, Column, Table

GAINS = (0.25, LIGHT_GAIN, 0.75, 1.0, 1.25, 1.5, PAPER_GAIN, 2.58)
FIGURE_2: dict[str, tuple[float, ...]] = {
    "alpha": (0.1, 0.5, 1, 2, 3, 5),
    "beta": (0.1, 0.5, 1, 2, 3, 5),
    "lam": (0.5, 1, 2, 3, 5),
    "eta": (2, 5, 10, 15, 20),
    "steps": (1, 2, 5, 10, 20, 60, 100),
}
"""Points in the ranges that the paper gives; the other parameters stay at their defaults."""
SAME = 1e-3
"""Gains whose relative difference is smaller are run once."""


@dataclass(frozen=True, slots=True)
class Point:
    """A setting of Figure 2, and the gain that it amounts to."""

    parameter: str
    value: float
    gain: float

    @property
    def useful(self) -> bool:
        """Whether texts at this gain can make sense."""
        return abs(self.gain) <= USEFUL_GAIN


def figure_2_points() -> list[Point]:
    """All settings of the figure."""
    points = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GainWarning)
        for parameter, values in FIGURE_2.items():
            for value in values:
                points.append(Point(parameter, value, gain(_at(parameter, value))))
    return points


def _at(parameter: str, value: float) -> SteeringParams:
    if parameter == "steps":
        return replace(PAPER, steps=int(value))
    changed: dict[str, Any] = {parameter: value}
    return replace(PAPER, **changed)


def gains_to_run(given: Iterable[float], with_figure_2: bool) -> list[float]:
    """The gains to run, in order, near-equal ones once.

    Gains close to the published settings, 0.476 and 1.783, become these.
    """
    wanted = [nearest(value, (LIGHT_GAIN, PAPER_GAIN)) or value for value in given]
    if with_figure_2:
        wanted += [point.gain for point in figure_2_points() if point.useful]
    result: list[float] = []
    for value in sorted(wanted):
        if not result or abs(value - result[-1]) > SAME * max(abs(value), 1e-9):
            result.append(value)
    return result


def nearest(value: float, known: Iterable[float]) -> float | None:
    """The known gain that is the same up to ``SAME``; None if there is none."""
    return next((g for g in known if abs(g - value) <= SAME * max(abs(value), 1e-9)), None)


def curve(section: Section) -> list[tuple[float, MethodColumn]]:
    """CoSteer's results by gain, in ascending order."""
    found = [
        (float(column.parameters["gain"]), column)
        for column in section.columns
        if column.parameters.get("name") == CoSteer.name
    ]
    return sorted(found, key=lambda item: item[0])


def headline_by_gain(section: Section, seed: int = 0) -> tuple[str, dict[float, float], int]:
    """The score that sums up a sweep: its name, a value per gain, and the decimals to show."""
    if section.likelihoods:
        scored = likelihood.score_methods(section, seed)
        name = "NLL, calibrated"
        values = {}
        for g, column in curve(section):
            one = scored[column.key]
            values[g] = (one.fitted or one.plain).mean
            name = name if one.fitted else "NLL"
        return name, values, 3
    score, name, factor, digits = texts.headline(section)
    means = {g: factor * float(np.mean(c.values(score) or [])) for g, c in curve(section)}
    return name, means, digits


def table(section: Section, seed: int = 0) -> Table:
    """The usual table, with its rows in the order of the gain."""
    full = likelihood.table(section, seed) if section.likelihoods else texts.table(section, seed)
    by_label = {row[0]: row for row in full.rows}
    columns = curve(section)
    steered = {column.label for _, column in columns}
    rows = [row for label, row in by_label.items() if label not in steered]
    rows += [[f"gain {g:g}", *by_label[column.label][1:]] for g, column in columns]
    return Table(full.title, full.columns, rows, full.notes)


def figure_2_table(section: Section, seed: int = 0) -> Table:
    """Figure 2 as a table: every setting, its gain, and the score at that gain."""
    name, values, digits = headline_by_gain(section, seed)
    rows: list[list[Cell]] = []
    for point in figure_2_points():
        known = nearest(point.gain, values)
        rows.append(
            [
                f"{point.parameter} = {point.value:g}",
                point.gain,
                None if known is None else values[known],
            ]
        )
    notes = (
        "Only the gain matters: settings with the same gain give the same text.",
        f"A gain above {USEFUL_GAIN:g} is not run: the large model has no say left.",
    )
    columns = (Column("Setting"), Column("gain", 3), Column(name, digits))
    return Table(f"Figure 2 of the paper, {section.title}", columns, rows, notes)
