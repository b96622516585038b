"""What a language model is to CoSteer: a tokenizer, and sequences that yield log-probabilities.

Knows nothing about steering, networks or private data. Engines (``llamacpp``,
``transformers``, ``fake``) implement these protocols; everything above uses only them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict, runtime_checkable

import numpy as np
import numpy.typing as npt

from costeer.decoding.vocabulary import Vocabulary

LogProbs = npt.NDArray[np.float32]
"""Natural-log probabilities, float32, normalised over the last axis."""

Call = tuple[int, int]
"""Which ids of a sequence one engine call evaluated: the first, and one past the last."""

SHARED = -1
"""In place of a call's end: other sequences went along, and may have changed the rounding."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Tokenizer(Protocol):
    """Text to token ids and back."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The real token table (no padding), with its fingerprint."""
        ...

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end an answer."""
        ...

    def encode(self, text: str) -> list[int]:
        """Plain text to ids. Text that spells a control token stays text."""
        ...

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """Ids to raw UTF-8 bytes, which may end inside a character. Control tokens give b""."""
        ...

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """The model's chat template over ``messages``, with the generation prompt added.

        Text inside a message that spells a control token stays text.
        """
        ...


class TokenSequence(Protocol):
    """Token ids with a KV cache. Not safe to use from two threads at once."""

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids evaluated so far."""
        ...

    @property
    def calls(self) -> Sequence[Call]:
        """For each id, the call that evaluated it; ids that went one by one have one each."""
        ...

    def __len__(self) -> int: ...

    def extend(self, ids: Sequence[int], rows: int | None = None) -> LogProbs:
        """Append ids (at least one); return next-token log-probabilities.

        Args:
            ids: tokens to append.
            rows: how many trailing positions to report; None means all of them.

        Returns:
            (n, V) float32, natural log, normalised; row i follows the i-th reported id.
            V is the real vocabulary: padding is cut off before normalising.

        Raises:
            ContextLengthError: they do not fit; the sequence is unchanged.
            ParameterError: no ids, or an id outside the vocabulary.
        """
        ...

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        ...

    def fork(self) -> TokenSequence:
        """An independent copy that shares the work done so far."""
        ...

    def close(self) -> None:
        """Free the cache. Closing twice is fine; using a closed sequence is an error."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """An engine whose work can be given up from another thread."""

    def interrupt(self) -> None:
        """End the call of ``extend_many`` under way soon, with InterruptedModelError.

        Its sequences are as they were before the call.
        """
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A model held in memory. One thread at a time may run it."""

    @property
    def name(self) -> str:
        """A short name for people."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """Its tokenizer."""
        ...

    @property
    def vocab_size(self) -> int:
        """V, the number of real tokens."""
        ...

    @property
    def context_length(self) -> int:
        """The most ids one sequence may hold."""
        ...

    @property
    def max_sequences(self) -> int:
        """The most sequences that may be open at once."""
        ...

    @property
    def exact_batch(self) -> int:
        """Up to so many ids of one call give the rows of extending by one id a time, bit for bit.

        At least 1. In larger calls rounding may differ, and near-ties between tokens may flip.
        """
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the same ids in the same calls give the same rows, bit for bit.

        Whatever the sequence held before, and whatever other sequences do.
        """
        ...

    def sequence(self) -> TokenSequence:
        """Open an empty sequence.

        Raises:
            ModelError: ``max_sequences`` are open already.
        """
        ...

    def extend_many(
        self,
        work: Sequence[tuple[TokenSequence, Sequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """Like ``TokenSequence.extend`` for several distinct sequences of this model, in one batch.

        If one does not fit, none is changed.
        """
        ...

    def close(self) -> None:
        """Free the model and all its sequences."""
        ...
