"""Deciding one token: from the LLM's top k and the delta, with proof, asking for more where needed.

Shared by both ways of decoding, so that they cannot differ. Knows token ids only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.stop import Stop
from costeer.decoding.certify import Choice, choose_certified
from costeer.decoding.sampling import SamplingParams, gumbel
from costeer.edge.watch import Watch
from costeer.exceptions import CloudProtocolError, ParameterError
from costeer.privacy.budget import Budget

Array = npt.NDArray[np.float32]
Mode = Literal["lockstep", "run-ahead"]
MODES: tuple[Mode, ...] = ("run-ahead", "lockstep")


WIDEST = 4
"""An answer whose proofs need more log-probabilities asks for up to so many times ``top_k`` at
once: a longer row costs bytes, asking again costs a round trip."""


@dataclass(frozen=True, slots=True)
class DecodeParams:
    """How an answer is decoded.

    Attributes:
        gain: the factor of the delta; the user's "strength".
        top_k: log-probabilities asked for at first; more where the proof needs them.
        max_tokens: the most tokens of an answer, at least 1.
        sampling: greedy by default.
        eos_ids: tokens that end the answer.
        mode: "run-ahead" or "lockstep"; both give the same tokens.
        exact: in run-ahead, check only so many steps together as leaves every number what it is in
            lockstep. Without it as many as pays; on engines whose rounding depends on what is
            computed together, near-ties may then fall differently from run to run.
        widest: the most log-probabilities that are ever asked for; by default as many as the proof
            needs. How many it needs depends on the delta, so the guard sets a public limit.
        watch: stops steering where the cloud's rows cannot be meant.
        budget: draws the tokens, so that their evidence for the context stays under a cap. Takes
            lockstep, a temperature above 0, and no more than ``top_k`` log-probabilities.
    """

    gain: float
    top_k: int = 64
    max_tokens: int = 256
    sampling: SamplingParams = field(default_factory=SamplingParams)
    eos_ids: Collection[int] = frozenset()
    mode: Mode = "run-ahead"
    exact: bool = True
    widest: int | None = None
    watch: Watch | None = None
    budget: Budget | None = None

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise ParameterError(f"top_k must be at least 1, not {self.top_k}.", "64 is usual.")
        if self.max_tokens < 1:
            raise ParameterError(f"max_tokens must be at least 1, not {self.max_tokens}.")
        if self.budget is not None:
            self._check_budget()
        if self.mode not in MODES:
            raise ParameterError(
                f"There is no mode {str(self.mode)[:40]!r}.", f"Modes: {', '.join(MODES)}."
            )

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
    """One decided token.

    Attributes:
        position: within the answer, from 0.
        token: what the device decided.
        llm_token: what the LLM alone would have chosen. When sampling: with the same noise, as far
            as the log-probabilities received tell; it is not proven.
        proven: whether the full vocabulary is proven to give this token.
        widened: how many times more log-probabilities had to be asked for.
        top_k: how many the decision rests on.
        seconds: since the step before.
        interrupted: whether the LLM had to be told (it was not what it had written).
        received: steps that the LLM had sent for this answer so far, those in vain included.
    """

    position: int
    token: int
    llm_token: int
    proven: bool
    widened: int
    top_k: int
    seconds: float
    interrupted: bool
    received: int

    @property
    def changed(self) -> bool:
        """Whether steering chose another token than the LLM."""
        return self.token != self.llm_token


class Decider:
    """Makes the steps of one answer, in order.

    Args:
        cloud: asked again where the proof needs more log-probabilities.
        public: the ids of the public prompt.
        params: how to decode.
        stop: ends such a request.
    """

    def __init__(
        self, cloud: CloudModel, public: Sequence[int], params: DecodeParams, stop: Stop
    ) -> None:
        self._cloud = cloud
        self._stop = stop
        self._params = params
        self._public = tuple(public)
        self._last = time.perf_counter()
        self._asked = 0  # steps received on our own request
        self.top_k = params.top_k  # for the next request; grows with what the proofs have needed
        self.decided: list[int] = []

    @property
    def prefix(self) -> tuple[int, ...]:
        """The public prompt and the answer so far."""
        return (*self._public, *self.decided)

    @property
    def left(self) -> int:
        """How many more tokens the answer may have."""
        return self._params.max_tokens - len(self.decided)

    @property
    def over(self) -> bool:
        """Whether the answer has ended."""
        return not self.left or any(t in self._params.eos_ids for t in self.decided[-1:])

    def decide(
        self,
        answer: CloudStep,
        delta: Array,
        received: int,
        make_room: Callable[[], None] = lambda: None,
    ) -> Step:
        """Choose the next token, asking for more until it is proven or no more comes.

        Args:
            answer: the LLM's step for this position.
            delta: (V,) for this position.
            received: steps that came for this answer so far.
            make_room: called before the LLM is asked for more.
        """
        params, sampling, given = self._params, self._params.sampling, answer.token
        position = len(self.decided)
        noise = None if sampling.greedy else gumbel(sampling.seed, position, delta.size)
        asked, widened = max(params.top_k, answer.top_ids.size), 0
        most = delta.size if params.widest is None else params.widest

        def choose(gain: float) -> Choice:
            top = answer.top_ids, answer.top_logprobs
            if params.budget is not None:
                return self._choose_capped(answer, gain * delta)
            return choose_certified(*top, delta, gain, sampling, noise)

        choice = choose(self._gain(answer))
        while not choice.proven and asked <= answer.top_ids.size < most:
            if not widened:
                make_room()
            asked, widened = 2 * asked, widened + 1
            answer = ask(self._cloud, self.prefix, min(asked, delta.size, most), self._stop)
            choice = choose(self._gain(answer))
        self._asked += widened
        if widened:
            self.top_k = max(self.top_k, min(asked, WIDEST * params.top_k))
        greedy = sampling.greedy or params.budget is not None  # a capped token is drawn only once
        before, self._last = self._last, time.perf_counter()
        self.decided.append(choice.token)
        return Step(
            position=position,
            token=choice.token,
            llm_token=answer.token if greedy else choose(0.0).token,
            proven=choice.proven,
            widened=widened,
            top_k=answer.top_ids.size,
            seconds=self._last - before,
            interrupted=choice.token != given,
            received=received + self._asked,
        )

    def _gain(self, answer: CloudStep) -> float:
        """The gain for this row: none where the cloud's rows cannot be meant."""
        watch = self._params.watch
        trusted = watch is None or watch.trusts(len(self.decided), answer.top_logprobs)
        return self._params.gain if trusted else 0.0

    def _choose_capped(self, answer: CloudStep, bonus: Array) -> Choice:
        """Draw from the first ``top_k`` of the row as sent; nothing is proven and nothing asked."""
        params, sampling = self._params, self._params.sampling
        if params.budget is None:
            raise AssertionError
        top = answer.top_ids[: params.top_k], answer.top_logprobs[: params.top_k]
        token = params.budget.choose(*top, bonus, sampling.temperature, sampling.top_p)
        return Choice(token, proven=True)


def ask(cloud: CloudModel, ids: Sequence[int], top_k: int, stop: Stop) -> CloudStep:
    """The LLM's next-token log-probabilities after ``ids``."""
    stream = cloud.stream(ids, top_k, 1, stop)
    try:
        return next(stream)
    except StopIteration:
        raise unanswered() from None
    finally:
        stream.close()


def unanswered() -> CloudProtocolError:
    """The LLM's stream ended without a step."""
    return CloudProtocolError(
        "The cloud ended the answer without sending a token.", "Check its log."
    )
