"""One sample in the middle of being written by one method after another.

Each branch has one sequence: its prompt is evaluated when the first method needs it, and between
two methods the sequence is cut back to it. So a prompt costs once, and a sample takes as many
sequences as it has branches, however many methods there are.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from costeer.decoding.sampling import SamplingParams, choose, gumbel
from costeer.decoding.steering import Array
from costeer.models.base import TokenSequence
from costeer_evals.methods.base import Branch, Method, Rule
from costeer_evals.prompts import TokenPrompts
from costeer_evals.run.models import Models, prompt_of
from costeer_evals.samples import EncodedUnit


@dataclass(slots=True)
class Writing:
    """One text by one method.

    Attributes:
        method: whose.
        prompts: of the sample.
        ids: decided so far.
        rows: (1, V) of each branch, after the prompt and ``ids``.
        changed: at how many steps the LLM alone would have chosen otherwise; None where the
            method does not start from the LLM without context.
        steps: decisions made, the end token's included.
        ended: "stop" at an end token, "length" at the limit; empty before.
        seconds: for its steps; the prompts' are the lane's.
        nats: a token, under the LLM with context; None where that is not measured.
        rule: the method in this text.
        alone: the branch that the method starts from and changes, if it does.
    """

    method: Method
    prompts: TokenPrompts
    rows: dict[Branch, Array]
    ids: list[int] = field(default_factory=list)
    changed: int | None = None
    steps: int = 0
    ended: str = ""
    seconds: float = 0.0
    nats: float | None = None
    rule: Rule = field(init=False)
    alone: Branch | None = field(init=False)

    def __post_init__(self) -> None:
        self.rule = self.method.begin(self.prompts)
        self.alone = _alone(self.method)
        self.changed = None if self.alone is None else 0

    def decide(
        self, sampling: SamplingParams, seed: int, eos: frozenset[int], max_tokens: int
    ) -> None:
        """Choose the next token from the rows."""
        scores = self.rule.scores(self.rows, self.ids)[0]
        noise = None if sampling.greedy else gumbel(seed, len(self.ids), scores.size)
        token = choose(scores, sampling, noise)
        self.steps += 1
        if self.alone is not None and self.changed is not None:
            self.changed += token != choose(self.rows[self.alone][0], sampling, noise)
        if token in eos:
            self.ended = "stop"
            return
        self.ids.append(token)
        if len(self.ids) == max_tokens:
            self.ended = "length"


def _alone(method: Method) -> Branch | None:
    if len(method.needs) == 1:  # one model, unchanged
        return None
    bases: tuple[Branch, ...] = ("llm_without", "llm_guided")
    return next((base for base in bases if base in method.needs), None)


class Lane:
    """A sample, the methods that it still lacks, and its sequences.

    Args:
        sample: with its token ids.
        methods: in the order to write them.
        models: with a free sequence for every branch that the methods need.
    """

    def __init__(self, sample: EncodedUnit, methods: Sequence[Method], models: Models) -> None:
        self.sample = sample
        self.waiting = list(methods)
        self.writing: Writing | None = None
        self.prompt_seconds: dict[Branch, float] = {}
        self._models = models
        self._sequences: dict[Branch, TokenSequence] = {}
        self._roots: dict[Branch, Array] = {}

    def begin(self, method: Method) -> Writing:
        """Start a text; prompts are evaluated where no method before needed them."""
        rows = {branch: self._root(branch) for branch in sorted(method.needs)}
        writing = Writing(method, self.sample.prompts, rows)
        self.writing = writing
        return writing

    def work(self, role: str) -> list[tuple[Branch, TokenSequence, int]]:
        """What one model has to do for the next step: sequences, and the token for each."""
        writing = self.writing
        if writing is None or writing.ended:
            return []
        model = self._models.by_role[role]
        return [
            (branch, self._sequences[branch], writing.ids[-1])
            for branch in sorted(writing.method.needs)
            if self._models.of(branch) is model
        ]

    def nats(self, ids: Sequence[int]) -> float | None:
        """Minus the mean log-probability of a text under the LLM with context; None if empty."""
        if not ids:
            return None
        first = self._root("llm_with")
        rest = self._sequences["llm_with"].extend(ids[:-1], len(ids) - 1) if len(ids) > 1 else first
        rows = np.concatenate([first, rest])[: len(ids)]
        return -float(rows[np.arange(len(ids)), ids].mean(dtype=np.float64))

    def _root(self, branch: Branch) -> Array:
        """(1, V) after the prompt."""
        prompt = prompt_of(branch, self.sample.prompts)
        if branch not in self._roots:
            began = time.perf_counter()
            sequence = self._sequences[branch] = self._models.of(branch).sequence()
            self._roots[branch] = sequence.extend(prompt, rows=1)
            self.prompt_seconds[branch] = time.perf_counter() - began
        self._sequences[branch].truncate(len(prompt))
        return self._roots[branch]

    def close(self) -> None:
        """Free its sequences."""
        for sequence in self._sequences.values():
            sequence.close()
        self._sequences.clear()
