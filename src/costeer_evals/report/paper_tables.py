"""Tables 1, 2, 3 and 5 of arXiv 2507.04756: our numbers, and the paper's below them.

A column that no result fills is left out of ours, and so are methods that the paper's table does
not have. Preference scores are those of the reward model; texts that were not rated have none, and
ratings are means over the samples that every rated method has one for (``ratings``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import numpy as np

from costeer.exceptions import InputError
from costeer_evals.methods.registry import method
from costeer_evals.report import published, ratings
from costeer_evals.report.sections import Section
from costeer_evals.report.table import Cell, Column, Grid
from costeer_evals.report.texts import mean, tokens_per_second

Number: TypeAlias = Literal[1, 2, 3, 5]
NUMBERS: tuple[Number, ...] = (1, 2, 3, 5)
KEYS: Mapping[str, str] = {
    label: method(name).key()
    for label, name in {
        "SLM w/o": "slm-without",
        "SLM w/": "slm-with",
        "LLM w/o": "llm-without",
        "LightCoSteer": "light-costeer",
        "CoSteer": "costeer",
        "LLM w/": "llm-with",
    }.items()
}
SETTINGS = ("SLM w/o", "SLM w/", "LLM w/o", "LightCoSteer", "CoSteer", "LLM w/")
PAPER = (
    "The paper's numbers are of the paper's models and samples (arXiv 2507.04756, version 1); ours "
    "are of the models named above. Compare directions, not values."
)
OVERLAP = {"R-1": "rouge_1", "R-L": "rouge_l", "MET": "meteor"}
TASKS = {"longlamp-abstract": "Abs", "longlamp-review": "Rev", "longlamp-topic": "Top"}
REWARD = "armorm"

Value: TypeAlias = Callable[[Section, str], float | None]
"""A number of a section, for the method of a key."""


def layout(number: Number, sections: Iterable[Section]) -> Grid:
    """One of the paper's tables.

    Raises:
        InputError: no result belongs into it.
    """
    ours = _latest(section for section in sections if section.kind == "generate")
    if number == 3:
        return _speed(list(ours.values()))
    named = {1: _table_1, 2: _table_2, 5: _table_5}[number]
    values = named(ours)
    if not values:
        raise InputError(
            f"No result belongs into table {number} of the paper.",
            "It needs texts (--kind generate) of its tasks.",
        )
    columns = {1: published.COLUMNS_1, 2: published.COLUMNS_2, 5: published.COLUMNS_5}[number]
    return _grid(number, columns, values, ours)


Values: TypeAlias = Mapping[str, Mapping[str, float]]
"""Ours, by setting and column."""


def _latest(sections: Iterable[Section]) -> dict[str, Section]:
    """One section a task: of several settings, the last."""
    return {section.task: section for section in sections}


def _grid(
    number: Number, names: Sequence[str], values: Values, ours: Mapping[str, Section]
) -> Grid:
    digits = {name: 4 if number == 5 or name in published.PREFERENCES else 2 for name in names}
    columns = [Column("Setting"), *(Column(name, digits[name]) for name in names)]
    rows: list[list[Cell]] = [
        [f"ours: {label}", *(row.get(name) for name in names)] for label, row in values.items()
    ]
    for title, row in _published(number):
        rows.append([f"paper: {title}", *row])
    notes = [f"Ours: {section.title}." for section in ours.values()]
    for section in ours.values() if number != 2 else ():  # which holds no ratings
        notes += [f"Ours, {section.task}, {note}" for note in ratings.notes(section)]
    return Grid(f"Table {number} of the paper", columns, rows, [*notes, PAPER])


def _published(number: Number) -> list[tuple[str, tuple[float, ...]]]:
    if number == 2:
        return [(f"{published.PAIR}, {name}", row) for name, row in published.TABLE_2.items()]
    lines = published.TABLE_1 if number == 1 else published.TABLE_5
    return [(f"{line.pair}, {line.setting}", line.numbers) for line in lines]


def _table_1(ours: Mapping[str, Section]) -> Values:
    found: dict[str, dict[str, float]] = {}
    for name, heading in (("overall", "CoGenesis Ovl"), ("personal", "CoGenesis Per")):
        _add(found, ours.get("cogenesis"), heading, _mean_of(name))
    _add_overlap(found, ours, TASKS)
    for preference in published.PREFERENCES:
        per_set: dict[str, list[float]] = {}
        for task in published.PREFERENCE_SETS:
            one: dict[str, dict[str, float]] = {}
            _add(one, ours.get(task), preference, _rewards(preference))
            for label, row in one.items():
                per_set.setdefault(label, []).append(row[preference])
        for label, means in per_set.items():
            if len(means) == len(published.PREFERENCE_SETS):  # an average of all four, or none
                found.setdefault(label, {})[preference] = float(np.mean(means))
    return _in_order(found)


def _table_2(ours: Mapping[str, Section]) -> Values:
    found: dict[str, dict[str, float]] = {}
    _add_overlap(found, ours, {task: TASKS[task] for task in list(TASKS)[:2]})
    return {label: row for label, row in _in_order(found).items() if label in published.TABLE_2}


def _table_5(ours: Mapping[str, Section]) -> Values:
    found: dict[str, dict[str, float]] = {}
    for task, name in published.PREFERENCE_SETS.items():
        for preference in published.PREFERENCES:
            _add(found, ours.get(task), f"{name} {preference}", _rewards(preference))
    return _in_order(found)


def _speed(sections: Sequence[Section]) -> Grid:
    rows: list[list[Cell]] = []
    speeds: dict[str, float | None] = {}
    for label in published.TABLE_3:
        columns = [column for s in sections if (column := s.find(KEYS[label])) is not None]
        speeds[label] = tokens_per_second(columns)
    if not any(speeds.values()):
        raise InputError(
            "No result belongs into table 3 of the paper.",
            "It needs texts (--kind generate) of llm-without, light-costeer and costeer.",
        )
    for label, paper in published.TABLE_3.items():
        speed, alone = speeds[label], speeds["LLM w/o"]
        ratio = speed / alone if speed and alone else None
        rows.append([label, speed, ratio, paper, paper / published.TABLE_3["LLM w/o"]])
    columns_ = ("Method", "ours, tokens/s", "ours, ratio", "paper, tokens/s", "paper, ratio")
    notes = (
        "Ours: decoding alone, both models in one process and one after another, prompts excluded. "
        "`bench/speed.py` measures the product instead.",
        PAPER,
    )
    return Grid("Table 3 of the paper", [Column(name) for name in columns_], rows, notes)


def _add_overlap(
    found: dict[str, dict[str, float]], ours: Mapping[str, Section], tasks: Mapping[str, str]
) -> None:
    for task, short in tasks.items():
        for heading, score in OVERLAP.items():
            _add(found, ours.get(task), f"{short} {heading}", _mean_of(score, 100))


def _add(
    found: dict[str, dict[str, float]], section: Section | None, name: str, value: Value
) -> None:
    """One column of every setting that the section has."""
    if section is None:
        return
    for label, key in KEYS.items():
        number = value(section, key)
        if number is not None:
            found.setdefault(label, {})[name] = number


def _mean_of(score: str, factor: float = 1) -> Value:
    return lambda section, key: mean(section, key, score, factor)


def _rewards(preference: str) -> Value:
    """The mean reward of the samples of one preference."""

    def value(section: Section, key: str) -> float | None:
        column = ratings.within(section, REWARD).find(key)
        rows = column.rows if column is not None else ()
        found = [row["scores"][REWARD] for row in rows if row["sample"].endswith(f"-{preference}")]
        return float(np.mean(found)) if found else None

    return value


def _in_order(found: Mapping[str, Mapping[str, float]]) -> Values:
    return {label: found[label] for label in SETTINGS if label in found}
