"""One sample while one method after another generates its text.

Each branch has one sequence. Its prompt is evaluated when the first method needs it, and between
two methods the sequence is truncated to the prompt. So a prompt is evaluated once, and a sample
takes as many sequences as it has branches, however many methods there are.
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
from costeer_evals.run.models import Models, branch_prompt
from costeer_evals.samples import EncodedSample


@dataclass(slots=True)
class GeneratedText:
    """One text by one method, finished or under way.

    Attributes:
        method: the method.
        prompts: the sample's prompts.
        rows: (1, V) per branch, after the prompt and ``ids``.
        ids: the tokens so far.
        changed: at how many steps the LLM alone would have chosen another token; None if the
            method does not start from the LLM without context.
        steps: tokens chosen, the end token included.
        ended: "stop" at an end token, "length" at the limit; empty while under way.
        seconds: time of its steps, without the prompts.
        nll: nats per token under the LLM with context; None if not measured.
        rule: the method's rule in this text.
        base: the branch that the method changes, if any.
    """

    method: Method
    prompts: TokenPrompts
    rows: dict[Branch, Array]
    ids: list[int] = field(default_factory=list)
    changed: int | None = None
    steps: int = 0
    ended: str = ""
    seconds: float = 0.0
    nll: float | None = None
    rule: Rule = field(init=False)
    base: Branch | None = field(init=False)

    def __post_init__(self) -> None:
        self.rule = self.method.begin(self.prompts)
        self.base = _base_branch(self.method)
        self.changed = None if self.base is None else 0

    def choose_token(
        self, sampling: SamplingParams, seed: int, eos: frozenset[int], max_tokens: int
    ) -> None:
        """Choose the next token from the rows."""
        scores = self.rule.scores(self.rows, self.ids)[0]
        noise = None if sampling.greedy else gumbel(seed, len(self.ids), scores.size)
        token = choose(scores, sampling, noise)
        self.steps += 1
        if self.base is not None and self.changed is not None:
            self.changed += token != choose(self.rows[self.base][0], sampling, noise)
        if token in eos:
            self.ended = "stop"
            return
        self.ids.append(token)
        if len(self.ids) == max_tokens:
            self.ended = "length"


def _base_branch(method: Method) -> Branch | None:
    if len(method.needs) == 1:  # one model, unchanged
        return None
    bases: tuple[Branch, ...] = ("llm_without", "llm_guided")
    return next((base for base in bases if base in method.needs), None)


class Lane:
    """A sample, the methods that it still lacks, and its sequences.

    Args:
        sample: with its token ids.
        methods: in the order in which to generate.
        models: with a free sequence for every branch that the methods need.
    """

    def __init__(self, sample: EncodedSample, methods: Sequence[Method], models: Models) -> None:
        self.sample = sample
        self.remaining = list(methods)
        self.text: GeneratedText | None = None
        self.prompt_seconds: dict[Branch, float] = {}
        self._models = models
        self._sequences: dict[Branch, TokenSequence] = {}
        self._first_rows: dict[Branch, Array] = {}

    def begin(self, method: Method) -> GeneratedText:
        """Start a text; evaluates the prompts that no method before it needed."""
        rows = {branch: self._first_row(branch) for branch in sorted(method.needs)}
        self.text = GeneratedText(method, self.sample.prompts, rows)
        return self.text

    def next_inputs(self, role: str) -> list[tuple[Branch, TokenSequence, int]]:
        """The sequences that one model extends in the next step, each with its token."""
        text = self.text
        if text is None or text.ended:
            return []
        model = self._models.by_role[role]
        return [
            (branch, self._sequences[branch], text.ids[-1])
            for branch in sorted(text.method.needs)
            if self._models.for_branch(branch) is model
        ]

    def mean_nll(self, ids: Sequence[int]) -> float | None:
        """A text's negative log-likelihood per token under the LLM with context; None if empty."""
        if not ids:
            return None
        first = self._first_row("llm_with")
        rest = self._sequences["llm_with"].extend(ids[:-1], len(ids) - 1) if len(ids) > 1 else first
        rows = np.concatenate([first, rest])[: len(ids)]
        return -float(rows[np.arange(len(ids)), ids].mean(dtype=np.float64))

    def _first_row(self, branch: Branch) -> Array:
        """(1, V) after the prompt, to which the sequence is truncated."""
        prompt = branch_prompt(branch, self.sample.prompts)
        if branch not in self._first_rows:
            began = time.perf_counter()
            sequence = self._sequences[branch] = self._models.for_branch(branch).sequence()
            self._first_rows[branch] = sequence.extend(prompt, rows=1)
            self.prompt_seconds[branch] = time.perf_counter() - began
        self._sequences[branch].truncate(len(prompt))
        return self._first_rows[branch]

    def close(self) -> None:
        """Free its sequences."""
        for sequence in self._sequences.values():
            sequence.close()
        self._sequences.clear()
