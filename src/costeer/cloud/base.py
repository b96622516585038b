"""The cloud as the device sees it: one protocol, and the record of what crossed.

These types have no field that could hold private text: token ids of the public conversation go
up, the model's top log-probabilities come down.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from costeer.cloud.cancellation import Stop
from costeer.decoding.steering import Array
from costeer.exceptions import ParameterError


@dataclass(frozen=True, slots=True)
class CloudInfo:
    """What a server says about its model."""

    model: str
    vocab_size: int | None = None
    """Real tokens; None where the server does not say."""
    fingerprint: str | None = None
    """`Vocabulary.fingerprint` of its tokenizer; None where the server does not say."""
    context_length: int | None = None
    eos_ids: frozenset[int] = frozenset()
    """Tokens with which it ends an answer; empty where the server does not say."""
    max_top_k: int | None = None
    """The most log-probabilities per token that it sends; None means unknown."""
    continues: bool = False
    """Whether a request may refer to an earlier response instead of repeating its ids."""
    queues: bool = False
    """Whether a request waits for the one before it, or cannot use its prefix while it runs."""
    remembered_steps: int = 64
    """How many steps back a position can be asked for again without being computed again."""
    server: str | None = None
    """The kind of server, where requests to it need fields of their own (``dialects``)."""


@dataclass(frozen=True, slots=True)
class CloudStep:
    """One token of the LLM's own (greedy) continuation."""

    token: int
    top_ids: npt.NDArray[np.int32]  # (k,), most likely first
    top_logprobs: Array  # (k,), natural log of the raw distribution, descending


@dataclass(frozen=True, slots=True)
class TrafficRecord:
    """One exchange with the cloud, as recorded at the socket."""

    when: float  # seconds since the epoch
    what: str  # for instance "POST /v1/completions"
    token_ids: tuple[int, ...]  # the prompt as the cloud has it now, also where only referred to
    bytes_up: int  # body and request head
    bytes_down: int  # body and response head
    body: bytes = field(default=b"", repr=False)  # of the request, as sent


Recorder = Callable[[TrafficRecord], None]
"""Called once per exchange, when it is over, also when it failed."""


class CloudModel(Protocol):
    """Where the LLM's next-token log-probabilities come from."""

    def info(self) -> CloudInfo:
        """Return what the server says about its model; asked once, then remembered.

        Raises:
            CloudError: it cannot be reached or understood.
        """
        ...

    def stream(
        self,
        prompt_ids: Sequence[int],
        top_k: int,
        max_tokens: int,
        stop: Stop | None = None,
        *,
        replaces: Generator[CloudStep, None, None] | None = None,
    ) -> Generator[CloudStep, None, None]:
        """Continue ``prompt_ids`` greedily, one step per token, at most ``max_tokens``.

        Closing the generator aborts the request and its connection. The stream ends early after an
        end-of-text token, which is itself yielded as a step, and where the context is full.

        Args:
            prompt_ids: the public prompt and the answer so far; at least one id.
            top_k: log-probabilities per step; capped by the vocabulary.
            max_tokens: at least 1.
            stop: ends the request from another thread, also while it waits; nothing is sent after.
            replaces: a stream of this model that this one takes the place of, because the answer
                goes on differently. Close it after this call. A server that ``continues`` is told
                to end its response, so that its connection is kept; elsewhere nothing changes.

        Raises:
            ParameterError: at the call, for arguments out of range.
            StoppedError: ``stop`` was set.
            CloudError: see ``costeer.exceptions``.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...


def check_request(prompt: Sequence[int], top_k: int, max_tokens: int) -> None:
    """Raise ParameterError where ``CloudModel.stream`` was asked for something impossible."""
    if not prompt:
        raise ParameterError("There is no prompt to continue.")
    if top_k < 1 or max_tokens < 1:
        raise ParameterError("top_k and max_tokens must be at least 1.")
