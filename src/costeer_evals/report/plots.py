"""Plots of a section: a curve over gains, or a mark per method. Needs matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from costeer.exceptions import InputError, MissingDependencyError
from costeer_evals.report import likelihood, sweep, texts
from costeer_evals.report.sections import Section

INK, ACCENT, PALE = "#333333", "#1f6fb2", "#c44e52"
LARGEST_GAIN = 5.0
"""Larger gains are only in the table: they would squeeze the part that matters."""


def plot(section: Section, path: Path, seed: int = 0) -> None:
    """Write a PNG: a curve if there are three gains or more, otherwise a mark per method.

    Raises:
        MissingDependencyError: matplotlib is not installed.
        InputError: the file cannot be written.
    """
    figure_class, canvas = _import()
    figure = figure_class(figsize=(7.2, 4.0), dpi=150, layout="constrained")
    canvas(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    if len(sweep.curve(section)) >= 3:
        _curve(axes, section, seed)
    else:
        _bars(axes, section, seed)
    axes.set_title(section.title.replace(": ", "\n", 1), fontsize=9, color=INK, loc="left")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, format="png")
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Check it.") from None


def _curve(axes: Any, section: Section, seed: int) -> None:
    name, values, _ = sweep.headline_by_gain(section, seed)
    shown = {g: value for g, value in values.items() if abs(g) <= LARGEST_GAIN}
    axes.plot(list(shown), list(shown.values()), "o-", color=ACCENT, label="CoSteer")
    for label, key, style in (
        ("LLM w/o", likelihood.BASE, "--"),
        ("LLM w/ (violates privacy)", likelihood.BOUND, ":"),
    ):
        level = _level(section, key, seed)
        if level is not None:
            axes.axhline(level, linestyle=style, color=INK, linewidth=1, label=label)
    axes.set_xlabel("gain (strength)")
    axes.set_ylabel(_unit(name))
    axes.legend(frameon=False, fontsize=8)


def _bars(axes: Any, section: Section, seed: int) -> None:
    scored = [(c, _level(section, c.key, seed)) for c in section.columns]
    shown = [(column, level) for column, level in scored if level is not None]
    levels = [level for _, level in shown]
    colours = [PALE if column.violates_privacy else ACCENT for column, _ in shown]
    places = range(len(shown))
    if section.likelihoods:  # no bars: their axis would have to begin at 0
        axes.scatter(levels, places, color=colours, zorder=2)
        axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    else:
        axes.barh(places, levels, color=colours)
    axes.set_yticks(places, [column.label for column, _ in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(_unit(_name(section)))


def _level(section: Section, key: str, seed: int) -> float | None:
    """A method's headline score."""
    column = section.find(key)
    if column is None:
        return None
    if section.likelihoods:
        one = likelihood.score_methods(section, seed)[key]
        value = (one.fitted or one.plain).mean
        return value if np.isfinite(value) else None
    score, _, factor, _ = texts.headline(section)
    values = column.values(score)
    return factor * float(np.mean(values)) if values else None


def _name(section: Section) -> str:
    return "NLL, calibrated" if section.likelihoods else texts.headline(section)[1]


def _unit(name: str) -> str:
    units = {
        "R-L": "ROUGE-L x 100 (more is better)",
        "repeated-4": "repeated 4-grams, share",
        "NLL, calibrated": "NLL, calibrated, nats per token (less is better)",
    }
    return units.get(name, f"{name} (more is better)")


def _import() -> tuple[Any, Any]:
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingDependencyError(
            "Plots need the package matplotlib.", 'Install it: pip install "costeer[evals]".'
        ) from None
    return Figure, FigureCanvasAgg
