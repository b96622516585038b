"""Tables 1, 2 and 3 of arXiv 2507.04756: our numbers, and the paper's below them.

Methods that are not in the paper's table are left out of ours. So are columns that need a judge or
a reward model (CoGenesis and the preference sets in table 1): we measure overlap and speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product
from typing import Literal, TypeAlias

from costeer.exceptions import InputError
from costeer_evals.methods.registry import make_method
from costeer_evals.report import published
from costeer_evals.report.collect import Section
from costeer_evals.report.table import Cell, Column, Table
from costeer_evals.report.texts import mean, tokens_per_second
from costeer_evals.tasks.preference import PREFERENCES

Number: TypeAlias = Literal[1, 2, 3]
NUMBERS: tuple[Number, ...] = (1, 2, 3)
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
    values = _table_1(ours) if number == 1 else _table_2(ours)
    if not values:
        raise InputError(
            f"No result belongs in table {number} of the paper.",
            "It needs texts (--kind generate) of its tasks.",
        )
    columns = published.COLUMNS_1 if number == 1 else published.COLUMNS_2
    return _grid(number, columns, values, ours)


def _latest(sections: Iterable[Section]) -> dict[str, Section]:
    """One section per task: of several settings, the last."""
    return {section.task: section for section in sections}


def _grid(
    number: Number, names: Sequence[str], values: Values, ours: Mapping[str, Section]
) -> Table:
    digits = {name: 4 if name in PREFERENCES else 2 for name in names}
    columns = [Column("Setting"), *(Column(name, digits[name]) for name in names)]
    rows: list[list[Cell]] = [
        [f"ours: {label}", *(row.get(name) for name in names)] for label, row in values.items()
    ]
    for title, row in _published(number):
        rows.append([f"paper: {title}", *row])
    notes = [f"Ours: {section.title}." for section in ours.values()]
    return Table(f"Table {number} of the paper", columns, rows, [*notes, PAPER])


def _published(number: Number) -> list[tuple[str, tuple[float, ...]]]:
    if number == 2:
        return [(f"{published.PAIR}, {name}", row) for name, row in published.TABLE_2.items()]
    return [(f"{row.pair}, {row.setting}", row.numbers) for row in published.TABLE_1]


def _table_1(ours: Mapping[str, Section]) -> Values:
    return _overlaps(ours, TASKS)


def _table_2(ours: Mapping[str, Section]) -> Values:
    values = _overlaps(ours, {task: TASKS[task] for task in list(TASKS)[:2]})
    return {label: row for label, row in values.items() if label in published.TABLE_2}


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


def _overlaps(ours: Mapping[str, Section], tasks: Mapping[str, str]) -> Values:
    """The overlap columns of these tasks, for every setting that has any."""
    found: dict[str, dict[str, float]] = {}
    for (task, short), (heading, score) in product(tasks.items(), OVERLAP.items()):
        section = ours.get(task)
        for label, key in KEYS.items():
            value = mean(section, key, score, 100) if section is not None else None
            if value is not None:
                found.setdefault(label, {})[f"{short} {heading}"] = value
    return {label: found[label] for label in KEYS if label in found}
