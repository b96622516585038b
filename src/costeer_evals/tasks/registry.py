"""Every benchmark by its name."""

from __future__ import annotations

from collections.abc import Mapping

from costeer.exceptions import ParameterError
from costeer_evals.tasks import abstracts, cogenesis, everyday, longlamp, preference, prefeval
from costeer_evals.tasks.base import Task

_ALL: tuple[Task, ...] = (
    *everyday.TASKS,
    prefeval.TASK,
    cogenesis.TASK,
    abstracts.TASK,
    *longlamp.TASKS,
    *preference.TASKS,
)
TASKS: Mapping[str, Task] = {task.name: task for task in _ALL}


def find_task(name: str) -> Task:
    """The benchmark with that name.

    Raises:
        ParameterError: there is none.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise ParameterError(
            f"There is no task {name[:40]!r}.", f"The tasks are: {', '.join(TASKS)}."
        ) from None
