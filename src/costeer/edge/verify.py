"""Verify one drafted token: choose from the LLM's top k and the delta, with proof.

Where the top k does not prove the choice, the LLM is asked again with more. Both modes of decoding
use this, so they cannot differ. Knows token ids only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.cancellation import Stop
from costeer.decoding.certify import Choice, choose_certified
from costeer.decoding.evidence import nats_for_context
from costeer.decoding.sampling import SamplingParams, gumbel
from costeer.decoding.steering import Array
from costeer.edge.detail import Detail, describe
from costeer.edge.watch import Watch
from costeer.exceptions import CloudProtocolError, ParameterError
from costeer.privacy.budget import Budget

Mode = Literal["lockstep", "run-ahead"]
MODES: tuple[Mode, ...] = ("run-ahead", "lockstep")


WIDEST = 4
"""How many times ``top_k`` the requests of an answer may grow to after a retry. More
log-probabilities cost bytes; a retry costs a round trip."""


def checked_mode(name: str) -> Mode:
    """Return the mode of that name.

    Raises:
        ParameterError: there is none.
    """
    for mode in MODES:
        if name == mode:
            return mode
    raise ParameterError(f"There is no mode {str(name)[:40]!r}.", f"Modes: {', '.join(MODES)}.")


@dataclass(frozen=True, slots=True)
class DecodeParams:
    """How an answer is decoded.

    Attributes:
        gain: multiplier of the delta; 1 where a rule has scaled the delta already.
        top_k: log-probabilities requested at first; more where the proof needs them.
        max_tokens: the most tokens of an answer, at least 1.
        sampling: greedy by default.
        eos_ids: tokens that end the answer.
        mode: "run-ahead" or "lockstep"; both give the same tokens.
        widest: the most log-probabilities that are ever requested; by default as many as a proof
            needs. How many it needs depends on the delta, so a guard sets a public limit.
        watch: stops steering where the cloud's rows cannot be meant.
        budget: draws the tokens, so that their evidence for the context stays under a cap. Needs
            lockstep, a temperature above 0, and no more than ``top_k`` log-probabilities.
        first: the position of the first token, where an answer goes on from tokens that are part
            of the prompts. The noise of a token depends on its position.
        candidates: how many candidates each ``Step`` describes (``detail``); 0 for none.
        quiet: ask the LLM for nothing before the small model has read its prompts, so that the time
            until the first correction does not tell how long the private one is.
    """

    gain: float
    top_k: int = 64
    max_tokens: int = 256
    sampling: SamplingParams = field(default_factory=SamplingParams)
    eos_ids: Collection[int] = frozenset()
    mode: Mode = "run-ahead"
    widest: int | None = None
    watch: Watch | None = None
    budget: Budget | None = None
    first: int = 0
    candidates: int = 0
    quiet: bool = False

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise ParameterError(f"top_k must be at least 1, not {self.top_k}.", "64 is usual.")
        if self.max_tokens < 1:
            raise ParameterError(f"max_tokens must be at least 1, not {self.max_tokens}.")
        checked_mode(self.mode)
        if self.budget is not None:
            self._check_budget()

    def _check_budget(self) -> None:
        """Raise ParameterError where the cap would not hold (docs/privacy.md)."""
        if self.sampling.greedy:
            raise ParameterError(
                "--epsilon needs sampling: a greedy answer is either possible without the context "
                "or proves it.",
                "Give --temperature 1.",
            )
        if self.sampling.seed != 0:
            raise ParameterError(
                "--epsilon draws from secret randomness, so there is no seed to give.",
                "Leave --seed out.",
            )
        if self.mode != "lockstep" or self.widest != self.top_k:
            raise ParameterError("--epsilon decodes in lockstep, without asking for more.")


@dataclass(frozen=True, slots=True)
class Step:
    """One decided token of an answer.

    Attributes:
        position: within the answer, from 0.
        token: the token chosen by the device.
        llm_token: what the LLM alone would have chosen. When sampling: with the same noise, as far
            as the received log-probabilities tell; this is not proven.
        proven: whether the full vocabulary would certainly give the same token.
        retries: how often the LLM was asked again for more log-probabilities.
        top_k: how many log-probabilities the choice rests on.
        seconds: since the previous step.
        corrected: whether the token differs from what the LLM had drafted.
        received: steps the LLM has sent for this answer so far, discarded ones included.
        evidence: how many nats likelier the context makes the token (``decoding.evidence``).
        detail: the candidates before and after steering, where ``DecodeParams.candidates`` asks for
            them.
    """

    position: int
    token: int
    llm_token: int
    proven: bool
    retries: int
    top_k: int
    seconds: float
    corrected: bool
    received: int
    evidence: float = 0.0
    detail: Detail | None = None

    @property
    def changed(self) -> bool:
        """Whether steering chose another token than the LLM."""
        return self.token != self.llm_token


class Verifier:
    """Makes the steps of one answer, in order.

    Args:
        cloud: asked again where a proof needs more log-probabilities.
        public: token ids of the public prompt.
        params: how to decode.
        stop: ends such a request.

    Attributes:
        decided: token ids of the answer so far.
        top_k: log-probabilities to request next; grows with what the proofs have needed.
    """

    def __init__(
        self, cloud: CloudModel, public: Sequence[int], params: DecodeParams, stop: Stop
    ) -> None:
        self._cloud = cloud
        self._stop = stop
        self._params = params
        self._public = tuple(public)
        self._last = time.perf_counter()
        self._retried = 0  # steps received by retries
        self.top_k = params.top_k
        self.decided: list[int] = []

    @property
    def prefix(self) -> tuple[int, ...]:
        """The public prompt and the answer so far."""
        return (*self._public, *self.decided)

    @property
    def remaining(self) -> int:
        """How many more tokens the answer may have."""
        return self._params.max_tokens - len(self.decided)

    @property
    def done(self) -> bool:
        """Whether the answer has ended."""
        return not self.remaining or any(t in self._params.eos_ids for t in self.decided[-1:])

    def verify(
        self,
        drafted: CloudStep,
        delta: Array,
        received: int,
        yield_slot: Callable[[], None] = lambda: None,
    ) -> Step:
        """Choose the next token, asking for more until it is proven or no more comes.

        Args:
            drafted: the LLM's step for this position.
            delta: (V,) natural log, for this position.
            received: steps that have arrived for this answer.
            yield_slot: called before the LLM is asked again.
        """
        params, sampling, answer = self._params, self._params.sampling, drafted
        position = params.first + len(self.decided)
        noise = None if sampling.greedy else gumbel(sampling.seed, position, delta.size)
        asked, retries = max(params.top_k, answer.top_ids.size), 0
        most = delta.size if params.widest is None else params.widest

        def choose() -> tuple[Choice, float]:
            return self._choose(answer, self._gain(answer) * delta, noise)

        choice, evidence = choose()
        while not choice.proven and asked <= answer.top_ids.size < most:
            if not retries:
                yield_slot()
            asked, retries = 2 * asked, retries + 1
            answer = ask(self._cloud, self.prefix, min(asked, delta.size, most), self._stop)
            choice, evidence = choose()
        self._retried += retries
        if retries:
            self.top_k = max(self.top_k, min(asked, WIDEST * params.top_k))
        before, self._last = self._last, time.perf_counter()
        detail = self._detail(answer, delta, choice)
        self.decided.append(choice.token)
        return Step(
            position=position,
            token=choice.token,
            llm_token=self._unsteered(answer, noise),
            proven=choice.proven,
            retries=retries,
            top_k=answer.top_ids.size,
            seconds=self._last - before,
            corrected=choice.token != drafted.token,
            received=received + self._retried,
            evidence=evidence,
            detail=detail,
        )

    def _detail(self, answer: CloudStep, delta: Array, choice: Choice) -> Detail | None:
        count = self._params.candidates
        return describe(answer, delta, self._gain(answer), choice.token, count) if count else None

    def _gain(self, answer: CloudStep) -> float:
        """Return the gain for this row: 0 where the cloud's rows cannot be meant."""
        watch = self._params.watch
        position = self._params.first + len(self.decided)
        trusted = watch is None or watch.trusts(position, answer.top_logprobs)
        return self._params.gain if trusted else 0.0

    def _choose(self, answer: CloudStep, bonus: Array, noise: Array | None) -> tuple[Choice, float]:
        """The token, and what it tells (``Step.evidence``)."""
        params, top = self._params, (answer.top_ids, answer.top_logprobs)
        if params.budget is not None:
            return self._draw(params.budget, answer, bonus)
        choice = choose_certified(*top, bonus, 1.0, params.sampling, noise)
        told = nats_for_context(*top, bonus, params.sampling, choice.token) if bonus.any() else 0.0
        return choice, told

    def _draw(self, budget: Budget, answer: CloudStep, bonus: Array) -> tuple[Choice, float]:
        """Draw under the cap, from the first ``top_k`` of the row as it was sent."""
        sampling, k = self._params.sampling, self._params.top_k
        top = answer.top_ids[:k], answer.top_logprobs[:k]
        token, told = budget.choose(*top, bonus, sampling.temperature, sampling.top_p)
        return Choice(token, proven=True), told  # nothing to prove: the law is this row's

    def _unsteered(self, answer: CloudStep, noise: Array | None) -> int:
        """What the LLM alone would choose; under a cap its likeliest, for a token is drawn once."""
        if noise is None or self._params.budget is not None:
            return answer.token
        top = answer.top_ids, answer.top_logprobs
        nothing = np.zeros(noise.size, np.float32)
        return choose_certified(*top, nothing, 0.0, self._params.sampling, noise).token


def ask(cloud: CloudModel, ids: Sequence[int], top_k: int, stop: Stop) -> CloudStep:
    """Ask the LLM for its next-token log-probabilities after ``ids``."""
    stream = cloud.stream(ids, top_k, 1, stop)
    try:
        return next(stream)
    except StopIteration:
        raise empty_stream_error() from None
    finally:
        stream.close()


def empty_stream_error() -> CloudProtocolError:
    """Describe a stream of the LLM that ended without a step."""
    return CloudProtocolError(
        "The cloud ended the answer without sending a token.", "Check its log."
    )
