"""An experiment over samples into a file: what is done already is left alone.

The rows of a sample are written as soon as they are there, so that a kill loses only what is under
way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from costeer.evals.runner.results import ResultFile
from costeer.evals.runner.todo import Todo, Worker


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
        progress: told how many more rows are done.

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
