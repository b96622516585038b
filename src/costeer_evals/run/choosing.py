"""Likelihoods of several options as the answer, under every method.

Each branch reads its prompt once; for every option its sequence is truncated to the prompt, and all
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
from costeer_evals.run.models import Models, branch_prompt
from costeer_evals.samples import EncodedSample


@dataclass(frozen=True, slots=True)
class OptionScores:
    """The likelihoods of one sample's options.

    Attributes:
        logprobs: by method key: each option's mean log-probability per token, in nats.
        branch_seconds: by branch: the model's work.
    """

    logprobs: Mapping[str, Sequence[float]]
    branch_seconds: Mapping[Branch, float]


def score_options(sample: EncodedSample, methods: Sequence[Method], models: Models) -> OptionScores:
    """Score the options of one sample under every method."""
    branches = sorted({branch for method in methods for branch in method.needs})
    logprobs: dict[str, list[float]] = {method.key(): [] for method in methods}
    with contextlib.ExitStack() as stack:
        readers: dict[Branch, _OptionReader] = {}
        for branch in branches:
            prompt = branch_prompt(branch, sample.prompts)
            reader = _OptionReader(models.for_branch(branch), prompt)
            readers[branch] = stack.enter_context(contextlib.closing(reader))
        for ids in sample.options:
            rows = {branch: reader.read(ids) for branch, reader in readers.items()}
            for method in methods:
                logprobs[method.key()].append(_mean_logprob(method, sample, ids, rows))
    return OptionScores(logprobs, {branch: reader.seconds for branch, reader in readers.items()})


def option_fields(logprobs: Sequence[float]) -> dict[str, Any]:
    """The scores of a row: the options' log-probabilities, the margin, and whether it is correct.

    The margin is the first option's minus the mean of the others'; correct means that the first is
    the likeliest. The margin is not finite where a rule gives a token of an option no probability.
    """
    first, *others = logprobs
    return {
        "options": list(logprobs),
        "margin": first - sum(others) / len(others),
        "correct": first > max(others),
    }


class _OptionReader:
    """One branch of one sample: its prompt, then one option after another."""

    def __init__(self, model: LanguageModel, prompt: Sequence[int]) -> None:
        began = time.perf_counter()
        self._prompt_length = len(prompt)
        self._sequence = model.sequence()
        try:
            self._first = self._sequence.extend(prompt, rows=1)
        except BaseException:
            self._sequence.close()
            raise
        self.seconds = time.perf_counter() - began

    def read(self, ids: Sequence[int]) -> Array:
        """(n, V): the rows that predict an option of n tokens."""
        if len(ids) == 1:
            return self._first
        began = time.perf_counter()
        self._sequence.truncate(self._prompt_length)
        rest = self._sequence.extend(ids[:-1], len(ids) - 1)
        self.seconds += time.perf_counter() - began
        return np.concatenate([self._first, rest])

    def close(self) -> None:
        self._sequence.close()


def _mean_logprob(
    method: Method, sample: EncodedSample, ids: Sequence[int], rows: Mapping[Branch, Array]
) -> float:
    """One option's mean log-probability per token, in nats; every option starts a new text."""
    logprobs = log_softmax(method.begin(sample.prompts).scores(rows, ids[:-1]))
    return float(logprobs[np.arange(len(ids)), ids].mean(dtype=np.float64))
