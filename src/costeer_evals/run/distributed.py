"""The loop of ``loop`` on the processes of a Ray cluster; needs the extra ``ray``.

Each process loads the models once and takes a few samples at a time as it becomes free. The rows
come back to this process, which alone writes, so a run can be stopped and continued like any other.
The rows equal those of one process (with one lane, on engines whose rounding depends on the batch).
Source: https://docs.ray.io/en/latest/ray-core/actors.html.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from costeer.exceptions import MissingDependencyError, ModelError
from costeer_evals.run.experiment import Experiment
from costeer_evals.run.loop import Evaluator, PendingSample
from costeer_evals.run.models import ModelChoice
from costeer_evals.run.row import SampleResult


class RayEvaluator:
    """Hands out samples and collects rows; the counterpart of ``loop.Evaluator``.

    Args:
        experiment: what to do.
        choice: the models; every process loads them, so their files must be on every machine.
        run_id: the header's id.
        count: the number of processes.

    Raises:
        MissingDependencyError: Ray is not installed.
    """

    def __init__(
        self, experiment: Experiment, choice: ModelChoice, run_id: str, count: int
    ) -> None:
        self._experiment, self._choice = experiment, choice
        self._run_id, self._count = run_id, count
        self._ray = _import_ray()
        self._started = False

    def __enter__(self) -> RayEvaluator:
        if not self._ray.is_initialized():
            self._ray.init(log_to_driver=False, include_dashboard=False, configure_logging=False)
            self._started = True
        return self

    def __exit__(self, *_: object) -> None:
        if self._started:
            self._ray.shutdown()

    def run(self, pending: Sequence[PendingSample]) -> Iterator[SampleResult]:
        """Yield rows as processes complete them.

        Raises:
            InputError: a sample does not fit the models' context.
            ModelError: a process was lost.
        """
        lanes = self._experiment.lanes
        waiting = [list(pending[i : i + lanes]) for i in range(0, len(pending), lanes)][::-1]
        actor = self._ray.remote(num_cpus=self._choice.threads or 1)(_RayProcess)
        free = [
            actor.remote(self._experiment, self._choice, self._run_id)
            for _ in range(min(self._count, len(waiting)))
        ]
        busy: dict[Any, Any] = {}
        while waiting or busy:
            while free and waiting:
                process = free.pop()
                busy[process.run.remote(waiting.pop())] = process
            (ready, *_), _ = self._ray.wait(list(busy))
            free.append(busy.pop(ready))
            yield from self._get(ready)

    def _get(self, ready: Any) -> list[SampleResult]:
        try:
            results: list[SampleResult] = self._ray.get(ready)
        except self._ray.exceptions.RayTaskError as error:
            raise error.cause from None
        except self._ray.exceptions.RayError as error:
            raise ModelError(
                f"A process of Ray was lost: {type(error).__name__}.",
                "The results so far are kept; run again to go on.",
            ) from None
        return results


class _RayProcess:
    """One process of Ray, with its own models."""

    def __init__(self, experiment: Experiment, choice: ModelChoice, run_id: str) -> None:
        self._evaluator = Evaluator(experiment, choice.load(experiment), run_id)

    def run(self, pending: Sequence[PendingSample]) -> list[SampleResult]:
        """All rows of these samples."""
        return list(self._evaluator.run(pending))


def _import_ray() -> Any:
    try:
        import ray
    except ImportError:
        raise MissingDependencyError(
            "Ray is not installed.", 'Install it: pip install "costeer[ray]"; or leave out --ray.'
        ) from None
    return ray
