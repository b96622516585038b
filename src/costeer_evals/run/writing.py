"""Texts by every method, several samples at a time.

Each lane holds a sample; a step of all lanes is one call of each model. When a lane's text ends,
its next method begins at once; when it has none left, the next sample takes its place.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from costeer_evals.methods.base import Method
from costeer_evals.run import texts
from costeer_evals.run.experiment import Experiment, GenerateConfig
from costeer_evals.run.lane import GeneratedText, Lane
from costeer_evals.run.models import Models, branch_prompt
from costeer_evals.run.row import SampleResult
from costeer_evals.samples import EncodedSample

REMEMBERED = 64
"""Texts kept in case a later sample has the same prompts. Without context, the four preferences of
a question do."""


def generate(
    experiment: Experiment,
    config: GenerateConfig,
    samples: Sequence[tuple[EncodedSample, frozenset[str]]],
    models: Models,
    run_id: str,
) -> Iterator[SampleResult]:
    """Generate all texts, yielding each as soon as it is finished.

    Args:
        experiment: the methods.
        config: the experiment's, how to generate.
        samples: each sample with the keys of the methods that it lacks.
        models: with sequences for as many samples as there are lanes.
        run_id: the header's id.
    """
    writer = _Writer(experiment, config, models, run_id)
    try:
        yield from writer.write_all(samples)
    finally:
        writer.close()


class _Writer:
    """The lanes, and the texts that may be needed again."""

    def __init__(
        self, experiment: Experiment, config: GenerateConfig, models: Models, run_id: str
    ) -> None:
        self._experiment, self._config = experiment, config
        self._models, self._run_id = models, run_id
        self._lanes: list[Lane] = []
        self._remembered: OrderedDict[object, GeneratedText] = OrderedDict()
        self._eos = models.tokenizer.eos_ids

    def write_all(
        self, samples: Sequence[tuple[EncodedSample, frozenset[str]]]
    ) -> Iterator[SampleResult]:
        """Generate all texts; see ``generate``."""
        upcoming = iter(samples)
        while True:
            while len(self._lanes) < self._config.lanes and (following := next(upcoming, None)):
                yield from self._open(*following)
            if not self._lanes:
                return
            for lane in list(self._lanes):
                yield from self._advance(lane)
            self._step()

    def close(self) -> None:
        """Free all sequences."""
        for lane in self._lanes:
            lane.close()

    def _open(self, sample: EncodedSample, missing: frozenset[str]) -> Iterator[SampleResult]:
        for baseline in self._experiment.baselines:
            if baseline.key() in missing:
                yield texts.baseline_result(self._run_id, self._experiment, sample, baseline)
        methods = [method for method in self._experiment.methods if method.key() in missing]
        if methods:
            self._lanes.append(Lane(sample, methods, self._models))

    def _advance(self, lane: Lane) -> Iterator[SampleResult]:
        """Choose tokens until the lane needs the models again, or has no method left."""
        while True:
            text = lane.text
            if text is None:
                if not lane.remaining:
                    self._lanes.remove(lane)
                    lane.close()
                    return
                method = lane.remaining.pop(0)
                remembered = self._remembered.get(self._inputs(lane.sample, method))
                if remembered is not None:
                    yield self._result(lane, self._with_nll(lane, remembered), reused=True)
                    continue
                text = lane.begin(method)
            self._choose_token(lane, text)
            if not text.ended:
                return
            lane.text = None
            self._remember(lane.sample, text)
            yield self._result(lane, self._with_nll(lane, text))

    def _choose_token(self, lane: Lane, text: GeneratedText) -> None:
        began = time.perf_counter()
        origin, config = lane.sample.origin, self._config
        seed = config.seed(origin.task, origin.sample.id)
        text.choose_token(config.sampling, seed, self._eos, config.max_tokens)
        text.seconds += time.perf_counter() - began

    def _step(self) -> None:
        """Extend every lane by one token, in one call of each model."""
        if not self._lanes:
            return
        began = time.perf_counter()
        for role, model in self._models.by_role.items():
            inputs = [(lane, *item) for lane in self._lanes for item in lane.next_inputs(role)]
            if not inputs:
                continue
            results = model.extend_many([(sequence, [token]) for _, _, sequence, token in inputs])
            for (lane, branch, _, _), rows in zip(inputs, results, strict=True):
                if lane.text is not None:
                    lane.text.rows[branch] = rows
        share = (time.perf_counter() - began) / len(self._lanes)
        for lane in self._lanes:
            if lane.text is not None:
                lane.text.seconds += share

    def _inputs(self, sample: EncodedSample, method: Method) -> object:
        """All that a text depends on."""
        branches = sorted(method.needs)
        prompts = tuple(branch_prompt(branch, sample.prompts) for branch in branches)
        greedy = self._config.sampling.greedy
        noise = "" if greedy else (sample.origin.task, sample.origin.sample.id)
        return method.key(), prompts, noise

    def _remember(self, sample: EncodedSample, text: GeneratedText) -> None:
        text.rows = {}
        self._remembered[self._inputs(sample, text.method)] = text
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _with_nll(self, lane: Lane, text: GeneratedText) -> GeneratedText:
        """The text with its likelihood under the context of this lane's sample, if wanted."""
        if not self._config.llm_with_nll:
            return text
        text = copy.copy(text)
        text.nll = lane.mean_nll(text.ids)
        return text

    def _result(self, lane: Lane, text: GeneratedText, *, reused: bool = False) -> SampleResult:
        seconds = {} if reused else lane.prompt_seconds
        return texts.text_result(
            self._run_id, self._experiment, lane.sample, text, seconds, self._models.tokenizer
        )
