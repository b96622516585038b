"""Texts by every method, several samples at a time.

Samples go along in lanes; a step of all lanes is one call of each model. When a lane's text ends,
its next method begins at once, and when it has no more, the next sample takes its place.
"""

from __future__ import annotations

import copy
import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from costeer_evals.methods.base import Method
from costeer_evals.run import texts
from costeer_evals.run.experiment import Experiment, Generating
from costeer_evals.run.lane import Lane, Writing
from costeer_evals.run.loop import Done
from costeer_evals.run.models import Models, prompt_of
from costeer_evals.samples import EncodedUnit

Sample: TypeAlias = tuple[EncodedUnit, frozenset[str]]
"""A sample, and the keys of the methods that it lacks."""

REMEMBERED = 64
"""Texts kept in case the next sample has the same prompts, as the four preferences of a question
have for every method without context."""


def generate(
    experiment: Experiment, samples: Sequence[Sample], models: Models, run: str
) -> Iterator[Done]:
    """Write all texts; each comes as soon as it is finished.

    Args:
        experiment: of the kind generate.
        samples: what is to be done.
        models: with sequences for as many samples as there are lanes.
        run: the header's id.
    """
    if not isinstance(experiment.work, Generating):
        raise TypeError("experiment.work must be Generating")
    writer = _Writer(experiment, experiment.work, models, run)
    try:
        yield from writer.all(samples)
    finally:
        writer.close()


class _Writer:
    """The lanes."""

    def __init__(self, experiment: Experiment, work: Generating, models: Models, run: str) -> None:
        self._experiment, self._work, self._models, self._run = experiment, work, models, run
        self._lanes: list[Lane] = []
        self._remembered: OrderedDict[object, Writing] = OrderedDict()
        self._eos = models.tokenizer.eos_ids

    def all(self, samples: Sequence[Sample]) -> Iterator[Done]:
        """See ``generate``."""
        waiting = iter(samples)
        while True:
            while len(self._lanes) < self._work.lanes:
                following = next(waiting, None)
                if following is None:
                    break
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

    def _open(self, sample: EncodedUnit, missing: frozenset[str]) -> Iterator[Done]:
        for copying in self._experiment.copying:
            if copying.key() in missing:
                yield texts.copied(self._run, self._experiment, sample, copying)
        methods = [method for method in self._experiment.methods if method.key() in missing]
        if methods:
            self._lanes.append(Lane(sample, methods, self._models))

    def _advance(self, lane: Lane) -> Iterator[Done]:
        """Decide until the lane needs the models again, or has nothing more to write."""
        while True:
            writing = lane.writing
            if writing is None:
                if not lane.waiting:
                    self._lanes.remove(lane)
                    lane.close()
                    return
                method = lane.waiting.pop(0)
                known = self._remembered.get(self._prompts(lane.sample, method))
                if known is not None:
                    if self._work.judged:  # by this sample's context
                        known = copy.copy(known)
                        known.nats = lane.nats(known.ids)
                    yield self._done(lane, known, reused=True)
                    continue
                writing = lane.begin(method)
            began = time.perf_counter()
            self._decide(lane, writing)
            writing.seconds += time.perf_counter() - began
            if not writing.ended:
                return
            lane.writing = None
            if self._work.judged:
                writing.nats = lane.nats(writing.ids)
            self._remember(lane.sample, writing)
            yield self._done(lane, writing)

    def _decide(self, lane: Lane, writing: Writing) -> None:
        unit = lane.sample.unit
        seed = self._work.seed(unit.task, unit.sample.id)
        writing.decide(self._work.sampling, seed, self._eos, self._work.max_tokens)

    def _step(self) -> None:
        """One token further in every lane: one call of each model."""
        if not self._lanes:
            return
        began = time.perf_counter()
        for role, model in self._models.by_role.items():
            work = [(lane, *item) for lane in self._lanes for item in lane.work(role)]
            if not work:
                continue
            results = model.extend_many([(sequence, [token]) for _, _, sequence, token in work])
            for (lane, branch, _, _), rows in zip(work, results, strict=True):
                if lane.writing is not None:
                    lane.writing.rows[branch] = rows
        share = (time.perf_counter() - began) / len(self._lanes)
        for lane in self._lanes:
            if lane.writing is not None:
                lane.writing.seconds += share

    def _prompts(self, sample: EncodedUnit, method: Method) -> object:
        """What a text depends on."""
        branches = sorted(method.needs)
        prompts = tuple(prompt_of(branch, sample.prompts) for branch in branches)
        greedy = self._work.sampling.greedy
        noise = "" if greedy else (sample.unit.task, sample.unit.sample.id)
        return method.key(), prompts, noise

    def _remember(self, sample: EncodedUnit, writing: Writing) -> None:
        writing.rows = {}
        self._remembered[self._prompts(sample, writing.method)] = writing
        if len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)

    def _done(self, lane: Lane, writing: Writing, *, reused: bool = False) -> Done:
        return texts.written(
            self._run,
            self._experiment,
            lane.sample,
            writing,
            lane.prompt_seconds,
            self._models.tokenizer,
            reused=reused,
        )
