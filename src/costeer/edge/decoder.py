"""The decoding loop: one generator, a record a token. Knows token ids only, no text.

*Lockstep* is Algorithm 1 of arXiv 2507.04756: one step of the LLM, one of the small model, decide,
send. Two things are done better than printed there: the T-step loop is one multiplication
(``decoding.steering``), and the two models work at the same time, since neither needs the other's
answer for the same position.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from costeer.cloud.base import CloudModel, CloudStep
from costeer.decoding.certify import Choice, choose_certified
from costeer.decoding.sampling import SamplingParams, gumbel
from costeer.edge.local import DeltaSource
from costeer.edge.prompts import Prompts
from costeer.exceptions import CloudProtocolError, ParameterError

Array = npt.NDArray[np.float32]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecodeParams:
    """How an answer is decoded.

    Attributes:
        gain: the factor of the delta; the user's "strength".
        top_k: log-probabilities asked for at first; more where the proof needs them.
        max_tokens: the most tokens of an answer, at least 1.
        sampling: greedy by default.
        eos_ids: tokens that end the answer.
    """

    gain: float
    top_k: int = 64
    max_tokens: int = 256
    sampling: SamplingParams = field(default_factory=SamplingParams)
    eos_ids: Collection[int] = frozenset()

    def __post_init__(self) -> None:
        if self.top_k < 1:
            raise ParameterError(f"top_k must be at least 1, not {self.top_k}.", "64 is usual.")
        if self.max_tokens < 1:
            raise ParameterError(f"max_tokens must be at least 1, not {self.max_tokens}.")


@dataclass(frozen=True, slots=True)
class Step:
    """One decided token.

    Attributes:
        position: within the answer, from 0.
        token: what the device decided.
        llm_token: what the LLM alone would have chosen (with the same noise, when sampling).
        proven: whether the full vocabulary is proven to give this token.
        widened: how many times more log-probabilities had to be asked for.
        top_k: how many the decision rests on.
        seconds: since the step before.
    """

    position: int
    token: int
    llm_token: int
    proven: bool
    widened: int
    top_k: int
    seconds: float

    @property
    def changed(self) -> bool:
        """Whether steering chose another token than the LLM."""
        return self.token != self.llm_token


def generate_step(
    cloud: CloudModel, local: DeltaSource, prompts: Prompts, params: DecodeParams
) -> Generator[Step, None, None]:
    """Decode one answer in lockstep; the end-of-text token, if it comes, is the last step.

    Args:
        cloud: the LLM side; it is given ``prompts.public`` and the decided tokens, nothing else.
        local: the device's delta; left holding the answer when the generator ends.
        prompts: of this request.
        params: how to decode.

    Raises:
        CloudError, ModelError: see ``costeer.exceptions``. Steps yielded before stay valid.
    """
    decided: list[int] = []
    while len(decided) < params.max_tokens:
        started = time.perf_counter()
        ids = (*prompts.public, *decided)
        answer = _in_background(partial(_ask, cloud, ids, params.top_k))
        if decided:
            delta = local.delta(decided[-1:])[0]
        else:
            delta = local.begin(prompts.public, prompts.private)
        step = _decide(cloud, ids, answer.result(), delta, params, len(decided), started)
        decided.append(step.token)
        yield step
        if step.token in params.eos_ids:
            return


def _in_background(work: Callable[[], T]) -> Future[T]:
    """Run in a daemon thread, so that an abandoned request never keeps the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future


def _ask(cloud: CloudModel, ids: Sequence[int], top_k: int) -> CloudStep:
    """The LLM's next-token log-probabilities after ``ids``."""
    stream = cloud.stream(ids, top_k, 1)
    try:
        return next(stream)
    except StopIteration:
        raise CloudProtocolError(
            "The cloud ended the answer without sending a token.", "Check its log."
        ) from None
    finally:
        stream.close()


def _decide(
    cloud: CloudModel,
    ids: Sequence[int],
    answer: CloudStep,
    delta: Array,
    params: DecodeParams,
    position: int,
    started: float,
) -> Step:
    """Choose the token for one position, asking for more until it is proven or no more comes."""
    sampling = params.sampling
    noise = None if sampling.greedy else gumbel(sampling.seed, position, delta.size)
    asked, widened = params.top_k, 0

    def choose(gain: float) -> Choice:
        top = answer.top_ids, answer.top_logprobs
        return choose_certified(*top, delta, gain, sampling, noise)

    choice = choose(params.gain)
    while not choice.proven and answer.top_ids.size >= asked:
        asked, widened = 2 * asked, widened + 1
        answer = _ask(cloud, ids, min(asked, delta.size))
        choice = choose(params.gain)
    return Step(
        position=position,
        token=choice.token,
        llm_token=answer.token if sampling.greedy else choose(0.0).token,
        proven=choice.proven,
        widened=widened,
        top_k=answer.top_ids.size,
        seconds=time.perf_counter() - started,
    )
