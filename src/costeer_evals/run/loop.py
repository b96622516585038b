"""What is still to be done, and the loop that does it: what is in the file already is left alone.

The rows of a sample are written as soon as they are there, so that a kill loses only what is under
way. Knows nothing of models.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from costeer.exceptions import InputError
from costeer_evals.run.experiment import Experiment
from costeer_evals.run.results import Contents, ResultFile, Row, key
from costeer_evals.samples import Unit


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


def run(
    todo: Sequence[Todo],
    worker: Worker,
    file: ResultFile,
    *,
    keep: Callable[[Iterable[Mapping[str, Any]]], None] | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Do what is to be done.

    Args:
        todo: from ``pending``.
        worker: who does it.
        file: where the rows go.
        keep: where the texts go; None: nowhere.
        progress: called with the number of new rows.

    Returns:
        How many rows were written.
    """
    written = 0
    for done in worker.work(todo):
        if keep is not None:
            keep(done.texts)  # first: a text may stand twice, a row may not lack its text
        file.append(done.rows)
        written += len(done.rows)
        progress(len(done.rows))
    return written
