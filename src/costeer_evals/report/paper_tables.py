"""Tables 1, 2, 3 and 5 of arXiv 2507.04756: our numbers, and the paper's below them.

Methods that are not in the paper's table are left out of ours, and columns without results are
empty. Preference scores are those of the reward model; ratings are means over the samples that
every rated method has a rating for (``ratings``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, TypeAlias

import numpy as np

from costeer.exceptions import InputError
from costeer_evals.methods.registry import make_method
from costeer_evals.report import published, ratings
from costeer_evals.report.sections import Section
from costeer_evals.report.table import Cell, Column, Table
from costeer_evals.report.texts import mean, tokens_per_second
from costeer_evals.tasks.preference import PREFERENCES

Number: TypeAlias = Literal[1, 2, 3, 5]
NUMBERS: tuple[Number, ...] = (1, 2, 3, 5)
KEYS: Mapping[str, str] = {
    label: make_method(name).key()
    for label, name in {
        "SLM w/o": "slm-without",
        "SLM w/": "slm-with",
        "LLM w/o": "llm-without",
        "LightCoSteer": "light-costeer",
        "CoSteer": "costeer",
        "LLM w/": "llm-with",
    }.items()
}
PAPER = (
    "The paper's numbers are of the paper's models and samples (arXiv 2507.04756, version 1); ours "
    "are of the models named above. Compare directions, not values."
)
OVERLAP = {"R-1": "rouge_1", "R-L": "rouge_l", "MET": "meteor"}
TASKS = {"longlamp-abstract": "Abs", "longlamp-review": "Rev", "longlamp-topic": "Top"}
REWARD = "armorm"
Measure: TypeAlias = Callable[[Section, str], float | None]
"""A number of the method with a key, in a section; None if it has none."""
Values: TypeAlias = Mapping[str, Mapping[str, float]]
"""Our numbers, by setting and column."""


def paper_table(number: Number, sections: Iterable[Section]) -> Table:
    """One of the paper's tables.

    Raises:
        InputError: no result belongs in it.
    """
    ours = _latest(section for section in sections if section.kind == "generate")
    if number == 3:
        return _speed(list(ours.values()))
    make, columns = {
        1: (_table_1, published.COLUMNS_1),
        2: (_table_2, published.COLUMNS_2),
        5: (_table_5, published.COLUMNS_5),
    }[number]
    values = make(ours)
    if not values:
        raise InputError(
            f"No result belongs in table {number} of the paper.",
            "It needs texts (--kind generate) of its tasks.",
        )
    return _grid(number, columns, values, ours)


def _latest(sections: Iterable[Section]) -> dict[str, Section]:
    """One section per task: of several settings, the last."""
    return {section.task: section for section in sections}


def _grid(
    number: Number, names: Sequence[str], values: Values, ours: Mapping[str, Section]
) -> Table:
    digits = {name: 4 if number == 5 or name in PREFERENCES else 2 for name in names}
    columns = [Column("Setting"), *(Column(name, digits[name]) for name in names)]
    rows: list[list[Cell]] = [
        [f"ours: {label}", *(row.get(name) for name in names)] for label, row in values.items()
    ]
    for title, row in _published(number):
        rows.append([f"paper: {title}", *row])
    notes = [f"Ours: {section.title}." for section in ours.values()]
    for section in ours.values() if number != 2 else ():  # table 2 has no ratings
        notes += [f"Ours, {section.task}, {note}" for note in ratings.notes(section)]
    return Table(f"Table {number} of the paper", columns, rows, [*notes, PAPER])


def _published(number: Number) -> list[tuple[str, tuple[float, ...]]]:
    if number == 2:
        return [(f"{published.PAIR}, {name}", row) for name, row in published.TABLE_2.items()]
    rows = published.TABLE_1 if number == 1 else published.TABLE_5
    return [(f"{row.pair}, {row.setting}", row.numbers) for row in rows]


def _table_1(ours: Mapping[str, Section]) -> Values:
    values: dict[str, dict[str, float]] = {}
    for score, heading in (("overall", "CoGenesis Ovl"), ("personal", "CoGenesis Per")):
        _add(values, ours.get("cogenesis"), heading, _mean_of(score))
    _add_overlaps(values, ours, TASKS)
    for preference in PREFERENCES:
        for label, key in KEYS.items():
            means = [
                _mean_reward(preference)(ours[task], key) if task in ours else None
                for task in published.PREFERENCE_SETS
            ]
            complete = [mean for mean in means if mean is not None]
            if len(complete) == len(means):  # an average of all four sets, or none
                values.setdefault(label, {})[preference] = float(np.mean(complete))
    return _in_order(values)


def _table_2(ours: Mapping[str, Section]) -> Values:
    values: dict[str, dict[str, float]] = {}
    _add_overlaps(values, ours, {task: TASKS[task] for task in list(TASKS)[:2]})
    return {label: row for label, row in _in_order(values).items() if label in published.TABLE_2}


def _table_5(ours: Mapping[str, Section]) -> Values:
    values: dict[str, dict[str, float]] = {}
    for (task, name), preference in product(published.PREFERENCE_SETS.items(), PREFERENCES):
        _add(values, ours.get(task), f"{name} {preference}", _mean_reward(preference))
    return _in_order(values)


def _speed(sections: Sequence[Section]) -> Table:
    rows: list[list[Cell]] = []
    speeds: dict[str, float | None] = {}
    for label in published.TABLE_3:
        columns = [column for s in sections if (column := s.find(KEYS[label])) is not None]
        speeds[label] = tokens_per_second(columns)
    if not any(speeds.values()):
        raise InputError(
            "No result belongs in table 3 of the paper.",
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
    return Table("Table 3 of the paper", [Column(name) for name in columns_], rows, notes)


def _add_overlaps(
    values: dict[str, dict[str, float]], ours: Mapping[str, Section], tasks: Mapping[str, str]
) -> None:
    for (task, short), (heading, score) in product(tasks.items(), OVERLAP.items()):
        _add(values, ours.get(task), f"{short} {heading}", _mean_of(score, 100))


def _add(
    values: dict[str, dict[str, float]], section: Section | None, heading: str, measure: Measure
) -> None:
    """Add a column for every setting that the section has."""
    for label, key in KEYS.items():
        number = measure(section, key) if section is not None else None
        if number is not None:
            values.setdefault(label, {})[heading] = number


def _mean_of(score: str, factor: float = 1) -> Measure:
    return lambda section, key: mean(section, key, score, factor)


def _mean_reward(preference: str) -> Measure:
    """The mean reward of the samples of one preference."""

    def measure(section: Section, key: str) -> float | None:
        column = ratings.comparable(section, REWARD).find(key)
        rows = column.rows if column is not None else ()
        rewards = [
            row["scores"][REWARD] for row in rows if row["sample"].endswith(f"-{preference}")
        ]
        return float(np.mean(rewards)) if rewards else None

    return measure


def _in_order(values: Values) -> Values:
    return {label: values[label] for label in KEYS if label in values}
