"""Samples into rows, by models in this process.

Samples are worked on one after another (scoring) or a few at a time (generating).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costeer_evals.baselines import nearest_if_known
from costeer_evals.methods.base import Method
from costeer_evals.run import choosing, scoring
from costeer_evals.run import row as rows
from costeer_evals.run.experiment import Experiment, Scoring
from costeer_evals.run.logprob_store import KeptRows
from costeer_evals.run.loop import Done, Todo
from costeer_evals.run.models import Models
from costeer_evals.run.results import Row
from costeer_evals.run.writing import generate
from costeer_evals.samples import EncodedUnit, encode, require_room


@dataclass(frozen=True, slots=True)
class LocalWorker:
    """Works in this process.

    Attributes:
        experiment: what to do.
        models: in memory.
        run: the header's id.
        kept: where rows are kept, if they are.
    """

    experiment: Experiment
    models: Models
    run: str
    kept: KeptRows | None = None

    def work(self, todo: Sequence[Todo]) -> Iterator[Done]:
        """See ``Worker``.

        Raises:
            InputError: a sample does not fit into the models' context; nothing was done then.
        """
        encoded = [encode(item.unit, self.models.tokenizer) for item in todo]
        work = self.experiment.work
        if isinstance(work, Scoring):
            require_room(encoded, self.models.room, None)
            for item, sample in zip(todo, encoded, strict=True):
                methods = [m for m in self.experiment.methods if m.key() in item.missing]
                if sample.options:
                    yield Done(tuple(self._chosen(sample, methods)))
                else:
                    yield Done(tuple(self._scored(sample, methods, work)))
            return
        require_room(encoded, self.models.room, work.max_tokens)
        yield from generate(
            self.experiment,
            [(sample, item.missing) for item, sample in zip(todo, encoded, strict=True)],
            self.models,
            self.run,
        )

    def _scored(
        self, sample: EncodedUnit, methods: Sequence[Method], work: Scoring
    ) -> Iterator[Row]:
        result = scoring.score(sample.prompts, methods, self.models, work.kl, self.kept)
        nearest = nearest_if_known(sample.unit.sample)
        for method in methods:
            own = result.seconds[method.key()]
            seconds = {"method": own, **_branches(method, result.branch_seconds)}
            scores = {**rows.likelihood(result.scores[method.key()]), "nearest": nearest}
            yield rows.row(self.run, self.experiment, sample, method, scores, seconds)

    def _chosen(self, sample: EncodedUnit, methods: Sequence[Method]) -> Iterator[Row]:
        result = choosing.score(sample, methods, self.models)
        for method in methods:
            seconds = _branches(method, result.branch_seconds)
            scores = choosing.judged(result.logprobs[method.key()])
            yield rows.row(self.run, self.experiment, sample, method, scores, seconds)


def _branches(method: Method, seconds: Mapping[Any, float]) -> dict[str, float]:
    return {branch: seconds[branch] for branch in sorted(method.needs)}
