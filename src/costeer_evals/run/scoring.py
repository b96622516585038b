"""Likelihoods of a reference under every method, by teacher forcing.

Each branch reads the prompt and the reference once, and all methods score the same rows. The
reference is read in pieces, because rows are large: 32 of them over 152k tokens take 19 MB per
branch; a whole reference of 300 tokens would take 180 MB.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from costeer.decoding.steering import Array, log_softmax
from costeer.models.base import TokenSequence
from costeer_evals.methods.base import Branch, Method, Rule
from costeer_evals.metrics.likelihood import TextScores, score_tokens
from costeer_evals.prompts import TokenPrompts
from costeer_evals.run.logprob_store import LogprobStore, Rounded
from costeer_evals.run.models import Models, branch_prompt

PIECE = 32
"""Reference tokens scored at once. Changing it changes scores, because engines round by batch."""


@dataclass(frozen=True, slots=True)
class ReferenceScores:
    """The likelihoods of one reference.

    Attributes:
        scores: by method key.
        seconds: by method key: the rule and its scores alone.
        branch_seconds: by branch: the model's work.
    """

    scores: Mapping[str, TextScores]
    seconds: Mapping[str, float]
    branch_seconds: Mapping[Branch, float]


def score_reference(
    prompts: TokenPrompts,
    methods: Sequence[Method],
    models: Models,
    *,
    kl: bool,
    store: LogprobStore | None = None,
) -> ReferenceScores:
    """Score one reference under every method.

    Args:
        prompts: with a reference of at least one token.
        methods: the methods.
        models: for all branches that the methods need.
        kl: measure divergences from the LLM with context.
        store: log-probabilities kept on disk, which need not be computed again.
    """
    needed: set[Branch] = {branch for method in methods for branch in method.needs}
    if kl:
        needed.add("llm_with")
    reader = _BranchReader(prompts, models, sorted(needed), store)
    policies = [_Policy(method, prompts) for method in methods]
    try:
        for start in range(0, len(prompts.reference), PIECE):
            targets = np.asarray(prompts.reference[start : start + PIECE])
            rows = reader.read(start)
            for policy in policies:
                policy.add(rows, start, targets, rows["llm_with"] if kl else None)
    finally:
        reader.close()
    return ReferenceScores(
        scores={p.key: p.total for p in policies if p.total is not None},
        seconds={p.key: p.seconds for p in policies},
        branch_seconds=reader.seconds,
    )


class _BranchReader:
    """The branches of one sample, each with its sequence or with rows from the store."""

    def __init__(
        self,
        prompts: TokenPrompts,
        models: Models,
        branches: Sequence[Branch],
        store: LogprobStore | None,
    ) -> None:
        self._prompts = prompts
        self._branches = branches
        self._store = store
        self._stored: dict[Branch, Rounded] = {}
        self._new: dict[Branch, list[Rounded]] = {}
        self._sequences: dict[Branch, TokenSequence] = {}
        self.seconds: dict[Branch, float] = dict.fromkeys(branches, 0.0)
        try:
            for branch in branches:
                rows = store.load(branch, prompts) if store is not None else None
                if rows is not None:
                    self._stored[branch] = rows
                    continue
                self._sequences[branch] = models.for_branch(branch).sequence()
                self._new[branch] = []
        except BaseException:
            self.close()
            raise

    def read(self, start: int) -> dict[Branch, Array]:
        """(n, V) per branch: the rows that predict the piece of the reference from ``start``."""
        return {branch: self._read(branch, start) for branch in self._branches}

    def _read(self, branch: Branch, start: int) -> Array:
        stored = self._stored.get(branch)
        if stored is not None:
            return stored[start : start + PIECE].astype(np.float32)
        rows = self._extend(branch, start)
        if self._store is None:
            return rows
        rounded = rows.astype(np.float16)
        self._new[branch].append(rounded)
        if start + PIECE >= len(self._prompts.reference):
            self._store.save(branch, self._prompts, np.concatenate(self._new.pop(branch)))
        return rounded.astype(np.float32)

    def _extend(self, branch: Branch, start: int) -> Array:
        began = time.perf_counter()
        reference = self._prompts.reference
        # The row that predicts a token follows the token before it, at first the prompt's last.
        end = min(start + PIECE, len(reference))
        prompt = branch_prompt(branch, self._prompts)
        before = prompt if start == 0 else reference[start - 1 : start]
        result = self._sequences[branch].extend([*before, *reference[start : end - 1]], end - start)
        self.seconds[branch] += time.perf_counter() - began
        return result

    def close(self) -> None:
        for sequence in self._sequences.values():
            sequence.close()


@dataclass(slots=True)
class _Policy:
    """One method in the middle of one reference."""

    method: Method
    prompts: TokenPrompts
    total: TextScores | None = None
    seconds: float = 0.0
    key: str = field(init=False)
    _rule: Rule = field(init=False)

    def __post_init__(self) -> None:
        self.key = self.method.key()
        self._rule = self.method.begin(self.prompts)

    def add(
        self,
        rows: Mapping[Branch, Array],
        start: int,
        targets: np.ndarray[tuple[int], np.dtype[np.int64]],
        other: Array | None,
    ) -> None:
        """Score the next piece, which begins at token ``start`` of the reference."""
        began = time.perf_counter()
        before = self.prompts.reference[: start + len(targets) - 1]
        logprobs = log_softmax(self._rule.scores(rows, before))
        piece = score_tokens(logprobs, targets, other).summed()
        self.total = piece if self.total is None else self.total + piece
        self.seconds += time.perf_counter() - began
