"""The samples that a file of results still lacks, and the loop that runs them.

References and options are scored sample by sample, texts are generated a few at a time. Rows are
written as soon as they are complete, so a kill loses only the sample under way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costeer.exceptions import InputError
from costeer_evals.baselines import nearest_if_known
from costeer_evals.methods.base import Method
from costeer_evals.run import choosing, scoring
from costeer_evals.run.experiment import Experiment, GenerateConfig, ScoreConfig
from costeer_evals.run.logprob_store import LogprobStore
from costeer_evals.run.models import Models
from costeer_evals.run.results import ResultContents, ResultFile, ResultRow, make_key
from costeer_evals.run.row import SampleResult, build_row, likelihood_fields
from costeer_evals.run.writing import generate
from costeer_evals.samples import EncodedSample, TaskSample, encode_sample, require_fit


@dataclass(frozen=True, slots=True)
class PendingSample:
    """A sample, and the keys of the methods that it still lacks."""

    sample: TaskSample
    missing: frozenset[str]


def find_pending(
    experiment: Experiment, samples: Iterable[TaskSample], contents: ResultContents
) -> list[PendingSample]:
    """The samples that lack a method.

    Raises:
        InputError: the file holds results for other texts of a sample.
    """
    found = ((one, _missing(experiment, one, contents)) for one in samples)
    return [PendingSample(one, missing) for one, missing in found if missing]


def _missing(experiment: Experiment, one: TaskSample, contents: ResultContents) -> frozenset[str]:
    missing, settings = set(), experiment.config.settings()
    for method in experiment.keys:
        key = make_key(experiment.kind, one.task, one.sample.id, method, settings)
        row = contents.rows.get(key)
        if row is None:
            missing.add(method)
        elif row["texts"] != one.texts_hash:
            raise InputError(
                f"The file holds results for other texts of {one.task}'s sample {one.sample.id}.",
                "The data have changed; give another --out.",
            )
    return frozenset(missing)


def write_results(
    results: Iterable[SampleResult],
    file: ResultFile,
    *,
    write_texts: Callable[[Iterable[Mapping[str, Any]]], None] | None = None,
    progress: Callable[[int], None] = lambda count: None,
) -> int:
    """Append results to the file as they come.

    Args:
        results: from ``Evaluator.run``.
        file: where the rows go.
        write_texts: writes the texts; None if texts are not kept.
        progress: called with the number of rows just written.

    Returns:
        How many rows were written.
    """
    written = 0
    for result in results:
        if write_texts is not None:
            write_texts(result.texts)  # first: no row may lack its text, a text may be there twice
        file.append(result.rows)
        written += len(result.rows)
        progress(len(result.rows))
    return written


@dataclass(frozen=True, slots=True)
class Evaluator:
    """Turns pending samples into rows.

    Attributes:
        experiment: what to do.
        models: the loaded models.
        run_id: the header's id.
        store: keeps log-probabilities on disk, if given.
    """

    experiment: Experiment
    models: Models
    run_id: str
    store: LogprobStore | None = None

    def run(self, pending: Sequence[PendingSample]) -> Iterator[SampleResult]:
        """Yield rows as they are complete.

        Raises:
            InputError: a sample does not fit the models' context; then nothing was done.
        """
        config = self.experiment.config
        scored = config.reference_tokens if isinstance(config, ScoreConfig) else None
        encoded = [encode_sample(item.sample, self.models.tokenizer, scored) for item in pending]
        work = [(one, item.missing) for one, item in zip(encoded, pending, strict=True)]
        max_tokens = config.max_tokens if isinstance(config, GenerateConfig) else None
        require_fit(encoded, self.models.context_length, max_tokens)
        if isinstance(config, GenerateConfig):
            yield from generate(self.experiment, config, work, self.models, self.run_id)
            return
        for sample, missing in work:
            methods = [m for m in self.experiment.methods if m.key() in missing]
            if sample.options:
                yield SampleResult(tuple(self._score_options(sample, methods)))
            else:
                yield SampleResult(tuple(self._score_reference(sample, methods, config)))

    def _score_reference(
        self, sample: EncodedSample, methods: Sequence[Method], config: ScoreConfig
    ) -> Iterator[ResultRow]:
        result = scoring.score_reference(
            sample.prompts, methods, self.models, kl=config.kl, store=self.store
        )
        nearest = nearest_if_known(sample.origin.sample)
        for method in methods:
            own = {"method": result.seconds[method.key()]}
            seconds = own | _branch_seconds(method, result.branch_seconds)
            scores = {**likelihood_fields(result.scores[method.key()]), "nearest": nearest}
            yield build_row(self.run_id, self.experiment, sample, method, scores, seconds)

    def _score_options(
        self, sample: EncodedSample, methods: Sequence[Method]
    ) -> Iterator[ResultRow]:
        result = choosing.score_options(sample, methods, self.models)
        for method in methods:
            seconds = _branch_seconds(method, result.branch_seconds)
            scores = choosing.option_fields(result.logprobs[method.key()])
            yield build_row(self.run_id, self.experiment, sample, method, scores, seconds)


def _branch_seconds(method: Method, seconds: Mapping[Any, float]) -> dict[str, float]:
    return {branch: seconds[branch] for branch in sorted(method.needs)}
