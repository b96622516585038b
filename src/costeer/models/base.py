"""The interface of a language model: a tokenizer, and sequences that yield log-probabilities.

Knows nothing about steering, networks or private data. Engines (``llamacpp``, ``transformers``,
``fake``) implement these protocols; everything above uses only them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, TypedDict, runtime_checkable

from costeer.decoding.steering import Array
from costeer.decoding.vocabulary import Vocabulary

LogProbs = Array
"""Natural-log probabilities, float32, normalised over the last axis."""

Call = tuple[int, int]
"""The ids of a sequence that one engine call evaluated: the first, and one past the last."""

SHARED = -1
"""Replaces a call's end where other sequences took part and may have changed the rounding."""


class Message(TypedDict):
    """One turn of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


class Tokenizer(Protocol):
    """Converts text to token ids and back."""

    @property
    def vocabulary(self) -> Vocabulary:
        """The real token table (no padding), with its fingerprint."""
        ...

    @property
    def eos_ids(self) -> frozenset[int]:
        """Ids that end an answer."""
        ...

    def encode(self, text: str) -> list[int]:
        """Turn plain text into ids. Text that spells a control token stays text."""
        ...

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """Turn ids into UTF-8 bytes, which may end inside a character. Control tokens give b""."""
        ...

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Apply the model's chat template to ``messages`` and add the generation prompt.

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
        """For each id, the call that evaluated it; ids evaluated one by one have one call each."""
        ...

    def __len__(self) -> int: ...

    def extend(self, ids: Sequence[int], rows: int | None = None) -> LogProbs:
        """Append at least one id; return next-token log-probabilities.

        Args:
            ids: tokens to append.
            rows: how many of the last positions to report; None means all of them.

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

    def close(self) -> None:
        """Free the cache. May be called twice; using a closed sequence is an error."""
        ...


@runtime_checkable
class Interruptible(Protocol):
    """An engine whose running call can be ended from another thread."""

    def interrupt(self) -> None:
        """Make the running call of ``extend_many`` raise InterruptedModelError soon.

        Its sequences keep the state from before the call.
        """
        ...


@runtime_checkable
class LanguageModel(Protocol):
    """A model in memory. Only one thread at a time may run it."""

    @property
    def name(self) -> str:
        """A short name for display."""
        ...

    @property
    def tokenizer(self) -> Tokenizer:
        """The model's tokenizer."""
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
        """Largest batch whose rows are bit-identical to feeding ids one at a time.

        At least 1. In larger batches rounding may differ, and near-ties between tokens may flip.
        """
        ...

    @property
    def repeatable(self) -> bool:
        """Whether the same ids in the same calls give bit-identical rows.

        That is, regardless of what the sequence held before and of other sequences.
        """
        ...

    def sequence(self) -> TokenSequence:
        """Open an empty sequence.

        Raises:
            ModelError: ``max_sequences`` are open.
        """
        ...

    def extend_many(
        self,
        work: Sequence[tuple[TokenSequence, Sequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """Do ``TokenSequence.extend`` for several distinct sequences of this model, in one batch.

        Args:
            work: sequences and the ids to append to each.
            rows: as for ``extend``.

        If one sequence has no room, none is changed.
        """
        ...

    def close(self) -> None:
        """Free the model and all its sequences."""
        ...
