"""The small model on the device: two sequences, with and without the context.

Source: arXiv 2507.04756, equation 4 and Algorithm 1, lines 4 to 6. Both sequences are extended in
one batch. Their caches outlive an answer, so a conversation pays only for what is new; reuse never
changes a number (``models.prefix``). ``live_delta`` makes the delta of their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from costeer.decoding.steering import Array
from costeer.edge.prompts import Prompts
from costeer.models.base import LanguageModel, TokenSequence
from costeer.models.prefix import CanonicalCalls


class DeltaSource(Protocol):
    """Where decoding gets the delta from."""

    def begin(self, plain: Sequence[int], private: Sequence[int]) -> Array:
        """Read the prompts; return the delta (V,) for the first token of the answer."""
        ...

    def advance(self, token: int) -> Array:
        """Append a decided token; return the delta (V,) for the next one."""
        ...


def next_delta(slm: DeltaSource, prompts: Prompts, decided: Sequence[int]) -> Array:
    """Return the delta (V,) for the position after ``decided``."""
    if decided:
        return slm.advance(decided[-1])
    return slm.begin(prompts.plain, prompts.private)


class SlmPair:
    """The small model's two sequences, with and without the context; they outlive an answer.

    Args:
        model: with room for two more sequences; this object opens and closes them.

    Attributes:
        turn: entered for every call of the engine, where others use it too (``lanes``).
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model
        self._canonical = CanonicalCalls(model)
        self._with: TokenSequence = model.sequence()
        self._without: TokenSequence = model.sequence()
        self.turn: Callable[[], AbstractContextManager[None]] = nullcontext

    @property
    def private_ids(self) -> tuple[int, ...]:
        """The ids that the sequence with the context holds."""
        return self._with.ids

    def prefill(self, plain: Sequence[int], private: Sequence[int]) -> tuple[Array, Array]:
        """Read the prompts, or what is new in them.

        Returns:
            The rows (1, V) after the private and after the plain prompt.

        Raises:
            ContextLengthError: a prompt is too long.
        """
        # One after the other: together, each would round as the length of the other decides.
        with_context = self._read(self._with, private)
        return with_context, self._read(self._without, plain)

    def extend(self, token: int) -> tuple[Array, Array]:
        """Append a token to both sequences in one batch; return the rows (1, V) after it."""
        with self.turn():
            with_context, without_context = self._model.extend_many(
                [(self._with, [token]), (self._without, [token])]
            )
        return with_context, without_context

    def _read(self, sequence: TokenSequence, prompt: Sequence[int]) -> Array:
        """Bring a sequence to ``prompt``; return the row (1, V) after it."""
        with self.turn():
            pieces = self._canonical.rewind(sequence, prompt)
        for piece in pieces:
            with self.turn():
                row = sequence.extend(piece, rows=1)
        return row

    def close(self) -> None:
        """Free both sequences."""
        self._with.close()
        self._without.close()
