"""Samples into rows on the processes of a Ray cluster; needs the extra ``ray``.

Each process loads the models once and takes a few samples at a time as it becomes free; the
rows come back to this process, which alone writes. So a run can be stopped and goes on like any
other, and the rows are those of one process (on engines that round by batch: with one lane).
Source: https://docs.ray.io/en/latest/ray-core/actors.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any

from costeer.exceptions import MissingDependencyError, ModelError
from costeer_evals.run.experiment import Experiment, Generating
from costeer_evals.run.loop import Done, Todo
from costeer_evals.run.models import ModelChoice
from costeer_evals.run.worker import LocalWorker


class RayWorker:
    """Hands samples out and collects rows.

    Args:
        experiment: what to do.
        choice: the models; every process opens them, so their files must be on every machine.
        run: the header's id.
        count: how many processes.
    """

    def __init__(self, experiment: Experiment, choice: ModelChoice, run: str, count: int) -> None:
        self._experiment, self._choice, self._run, self._count = experiment, choice, run, count
        self._ray = _import()
        self._started = False

    def __enter__(self) -> RayWorker:
        if not self._ray.is_initialized():
            self._ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
            self._started = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._started:
            self._ray.shutdown()

    def work(self, todo: Sequence[Todo]) -> Iterator[Done]:
        """See ``Worker``; rows come in the order in which they are done."""
        lanes = 1
        if isinstance(self._experiment.work, Generating):
            lanes = self._experiment.work.lanes
        waiting = [list(todo[i : i + lanes]) for i in range(0, len(todo), lanes)][::-1]
        actor = self._ray.remote(num_cpus=self._choice.threads or 1)(_Actor)
        free = [
            actor.remote(self._experiment, self._choice, self._run)
            for _ in range(min(self._count, len(waiting)))
        ]
        busy: dict[Any, Any] = {}
        while waiting or busy:
            while free and waiting:
                one = free.pop()
                busy[one.work.remote(waiting.pop())] = one
            (ready, *_), _ = self._ray.wait(list(busy))
            free.append(busy.pop(ready))
            yield from self._result(ready)

    def _result(self, ready: Any) -> list[Done]:
        try:
            found: list[Done] = self._ray.get(ready)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise ModelError(
                f"A process of Ray was lost: {type(error).__name__}.",
                "What was written before is kept; run again to go on.",
            ) from None
        return found


class _Actor:
    """One process of Ray, with models of its own."""

    def __init__(self, experiment: Experiment, choice: ModelChoice, run: str) -> None:
        self._worker = LocalWorker(experiment, choice.open(experiment), run)

    def work(self, todo: Sequence[Todo]) -> list[Done]:
        """All rows of these samples."""
        return list(self._worker.work(todo))


def _import() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingDependencyError(
            "Ray is not installed.", 'Install it: pip install "costeer[ray]"; or leave out --ray.'
        ) from None
    return ray
