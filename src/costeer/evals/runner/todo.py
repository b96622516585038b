"""What is still to be done, and what comes of it. Knows nothing of models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from costeer.evals.runner.experiment import Experiment
from costeer.evals.runner.results import Contents, Row, key
from costeer.evals.runner.units import Unit
from costeer.exceptions import InputError


@dataclass(frozen=True, slots=True)
class Todo:
    """A sample and the methods that it still lacks."""

    unit: Unit
    missing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Done:
    """What came of one method on one sample, or of several; texts only if they were asked for."""

    rows: tuple[Row, ...]
    texts: tuple[Row, ...] = ()


class Worker(Protocol):
    """Whatever turns samples into rows; the models behind it are loaded once."""

    def work(self, todo: Sequence[Todo]) -> Iterator[Done]:
        """Rows as they come."""
        ...


def pending(experiment: Experiment, samples: Iterable[Unit], contents: Contents) -> list[Todo]:
    """What is still to be done.

    Raises:
        InputError: the file holds results for other texts of a sample.
    """
    settings, keys = experiment.settings, experiment.keys
    todo = []
    for unit in samples:
        missing = set()
        for method in keys:
            found = contents.rows.get(
                key(experiment.kind, unit.task, unit.sample.id, method, settings)
            )
            if found is None:
                missing.add(method)
            elif found["texts"] != unit.texts:
                raise InputError(
                    f"The file holds results for other texts of {unit.task}'s sample "
                    f"{unit.sample.id}.",
                    "The data have changed; give another --out.",
                )
        if missing:
            todo.append(Todo(unit, frozenset(missing)))
    return todo
