"""Likelihoods of several options as the answer, under every method.

Each branch reads its prompt once; for every option its sequence is cut back to the prompt, and all
methods score the same rows.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from costeer.decoding.steering import Array, log_softmax
from costeer.models.base import LanguageModel
from costeer_evals.methods.base import Branch, Method
from costeer_evals.run.models import Models, prompt_of
from costeer_evals.samples import EncodedUnit


@dataclass(frozen=True, slots=True)
class Chosen:
    """What came of one sample.

    Attributes:
        logprobs: by method key, the mean log-probability a token of every option, in nats.
        branch_seconds: of the models' work, by branch.
    """

    logprobs: Mapping[str, Sequence[float]]
    branch_seconds: Mapping[Branch, float]


def score(sample: EncodedUnit, methods: Sequence[Method], models: Models) -> Chosen:
    """Score the options of one sample under every method."""
    branches = sorted({branch for method in methods for branch in method.needs})
    logprobs: dict[str, list[float]] = {method.key(): [] for method in methods}
    seconds: dict[Branch, float] = dict.fromkeys(branches, 0.0)
    with contextlib.ExitStack() as stack:
        reading: dict[Branch, _Reading] = {}
        for branch in branches:
            began = time.perf_counter()
            reading[branch] = stack.enter_context(_Reading(models.of(branch), sample, branch))
            seconds[branch] += time.perf_counter() - began
        for ids in sample.options:
            rows: dict[Branch, Array] = {}
            for branch in branches:
                began = time.perf_counter()
                rows[branch] = reading[branch].rows(ids)
                seconds[branch] += time.perf_counter() - began
            for method in methods:
                logprobs[method.key()].append(_mean_logprob(method, sample, ids, rows))
    return Chosen(logprobs, seconds)


def judged(logprobs: Sequence[float]) -> dict[str, Any]:
    """What a row says: the options' log-probabilities, how far the first is above the others' mean,
    and whether it is the likeliest.

    Where a rule gives a token of an option no probability, the margin is not finite.
    """
    first, *others = logprobs
    return {
        "options": list(logprobs),
        "margin": first - sum(others) / len(others),
        "correct": first > max(others),
    }


class _Reading:
    """One branch of one sample: its prompt, and one option after another behind it."""

    def __init__(self, model: LanguageModel, sample: EncodedUnit, branch: Branch) -> None:
        self._prompt = prompt_of(branch, sample.prompts)
        self._sequence = model.sequence()
        try:
            self._first = self._sequence.extend(self._prompt, rows=1)
        except BaseException:
            self._sequence.close()
            raise

    def rows(self, ids: Sequence[int]) -> Array:
        """(n, V) that predict an option of n tokens."""
        if len(ids) == 1:
            return self._first
        self._sequence.truncate(len(self._prompt))
        rest = self._sequence.extend(ids[:-1], len(ids) - 1)
        return np.concatenate([self._first, rest])

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *error: object) -> None:
        self._sequence.close()


def _mean_logprob(
    method: Method, sample: EncodedUnit, ids: Sequence[int], rows: Mapping[Branch, Array]
) -> float:
    """Of one option, nats a token; the rule starts anew."""
    logprobs = log_softmax(method.begin(sample.prompts).scores(rows, ids[:-1]))
    return float(logprobs[np.arange(len(ids)), ids].mean(dtype=np.float64))
