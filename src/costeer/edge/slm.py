"""The small model on the device: two sequences, with and without the context, and their delta.

Source: arXiv 2507.04756, equation 4 and Algorithm 1, lines 4 to 6. Both sequences are extended in
one batch. Their caches outlive an answer, so a conversation pays only for what is new; reuse never
changes a number (``models.prefix``).

A rule (``decoding.auto``) may scale the delta at every position.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Protocol

import numpy as np

from costeer.decoding.auto import Auto, AutoParams, private_part
from costeer.decoding.steering import Array
from costeer.decoding.steering import delta as difference
from costeer.models.base import LanguageModel, TokenSequence
from costeer.models.prefix import CanonicalCalls


class DeltaSource(Protocol):
    """Where decoding gets the delta from."""

    @property
    def exact_steps(self) -> int:
        """The most ids per call of ``delta`` whose result is bit-identical to one id at a time."""
        ...

    def begin(self, public: Sequence[int], private: Sequence[int]) -> Array:
        """Read the prompts; return the delta (V,) for the first token of the answer."""
        ...

    def delta(self, ids: Sequence[int]) -> Array:
        """Append n tokens of the answer; return the delta after each, (n, V)."""
        ...

    def rollback(self, count: int) -> None:
        """Forget the last ``count`` tokens."""
        ...


class SlmPair:
    """The small model's two sequences, with and without the context; they outlive an answer.

    Args:
        model: with room for two more sequences; this object opens and closes them.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._canonical = CanonicalCalls(model)
        self._with: TokenSequence = model.sequence()
        self._without: TokenSequence = model.sequence()
        self.exact_steps = max(model.exact_batch // 2, 1)

    def prefill(self, public: Sequence[int], private: Sequence[int]) -> tuple[Array, Array]:
        """Read the prompts, or what is new in them.

        Returns:
            The rows (1, V) after the private and after the public prompt.

        Raises:
            ContextLengthError: a prompt is too long.
        """
        # One after the other: together, each would round as the length of the other decides.
        with_context = self._canonical.prefill(self._with, private)[None]
        return with_context, self._canonical.prefill(self._without, public)[None]

    def extend(self, ids: Sequence[int]) -> tuple[Array, Array]:
        """Append n ids to both sequences in one batch; return the rows (n, V) after each."""
        with_context, without_context = self._model.extend_many(
            [(self._with, ids), (self._without, ids)]
        )
        return with_context, without_context

    def rollback(self, count: int) -> None:
        """Forget the last ``count`` tokens of both sequences."""
        for sequence in (self._with, self._without):
            sequence.truncate(len(sequence) - count)

    def close(self) -> None:
        """Free both sequences."""
        self._with.close()
        self._without.close()


class SlmDelta:
    """The delta of a small model in one answer.

    Args:
        pair: its sequences; used by one answer at a time.
        rule: of ``decoding.auto``, which scales the delta at every position; None for the plain
            difference.
    """

    def __init__(self, pair: SlmPair, rule: AutoParams | None = None) -> None:
        self._pair = pair
        self._params = rule
        self._rule: Auto | None = None
        self._answer: list[int] = []
        self.exact_steps = pair.exact_steps

    def begin(self, public: Sequence[int], private: Sequence[int]) -> Array:
        """Read the prompts; return the delta (V,) for the first token of the answer."""
        self._answer.clear()
        if self._params is not None:
            self._rule = Auto(self._params, private_part(public, private))
        first: Array = self._scaled(*self._pair.prefill(public, private))[0]
        return first

    def delta(self, ids: Sequence[int]) -> Array:
        """Append n tokens of the answer; return the delta after each, (n, V)."""
        rows = self._pair.extend(ids)
        self._answer += ids
        return self._scaled(*rows)

    def rollback(self, count: int) -> None:
        """Forget the last ``count`` tokens."""
        self._pair.rollback(count)
        del self._answer[len(self._answer) - count :]

    def _scaled(self, with_context: Array, without_context: Array) -> Array:
        if self._rule is None:
            return difference(with_context, without_context)
        return self._rule.bonus(with_context, without_context, self._answer)


class NoSteering:
    """A delta of zero: the large model alone, without waking the small one.

    Args:
        vocab_size: V.
    """

    def __init__(self, vocab_size: int) -> None:
        self._zero: Array = np.zeros(vocab_size, np.float32)
        self.exact_steps = sys.maxsize

    def begin(self, public: Sequence[int], private: Sequence[int]) -> Array:
        """(V,) zeros."""
        return self._zero

    def delta(self, ids: Sequence[int]) -> Array:
        """(n, V) zeros, as a view."""
        return np.broadcast_to(self._zero, (len(ids), self._zero.size))

    def rollback(self, count: int) -> None:
        """Nothing to forget."""
