"""The small model on the device: two sequences, with and without the context, and their delta.

Source: arXiv 2507.04756, equation 4 and Algorithm 1, lines 4 to 6. Both sequences are extended in
one batch. Their caches outlive an answer, so a conversation pays only for what is new; what is
reused never changes a row (``models.prefix``).

With ``strength="auto"`` the rule of ``decoding.auto`` takes the place of the plain difference.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from collections.abc import Sequence as AbstractSequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from costeer.decoding.auto import Auto, AutoParams, end_copies, following, private_part
from costeer.decoding.steering import delta as difference
from costeer.edge.watch import Watch
from costeer.models.base import LanguageModel, Sequence
from costeer.models.prefix import Canonical

Array = npt.NDArray[np.float32]


class DeltaSource(Protocol):
    """Where the decoder gets the delta from."""

    @property
    def exact_steps(self) -> int:
        """Up to so many ids in one call of ``delta`` give what one at a time gives, bit for bit."""
        ...

    def begin(self, public: AbstractSequence[int], private: AbstractSequence[int]) -> Array:
        """Read the prompts; the delta (V,) for the first token of the answer."""
        ...

    def delta(self, ids: AbstractSequence[int]) -> Array:
        """Append decided tokens; the delta after each of them, (n, V)."""
        ...

    def rollback(self, count: int) -> None:
        """Forget the last ``count`` tokens."""
        ...


class LocalSteering:
    """The delta of a small model.

    Args:
        model: with room for two more sequences; this object opens and closes them.
        exact: whether every number is to depend on the prompts and the answer alone; needs
            ``delta`` to be asked for at most ``exact_steps`` ids a time.

    Attributes:
        params: of the rule "auto" from the next answer on; None gives the plain difference.
        longest_copy: tokens in a row, of the private text, that the plain difference may help to
            copy; None is any number. ("auto" has a limit of its own.)
        watch: is told of the rows without the context.
    """

    params: AutoParams | None = None
    longest_copy: int | None = None
    watch: Watch | None = None

    def __init__(self, model: LanguageModel, *, exact: bool = True) -> None:
        self._model = model
        self._canonical = Canonical(model, exact=exact)
        self._with: Sequence = model.sequence()
        self._without: Sequence = model.sequence()
        self.exact_steps = max(model.exact_batch // 2, 1)
        self._auto: Auto | None = None
        self._answer: list[int] = []

    def begin(self, public: AbstractSequence[int], private: AbstractSequence[int]) -> Array:
        """Read the prompts, or what is new in them.

        Returns:
            (V,) the delta for the first token of the answer.

        Raises:
            ContextLengthError: a prompt is too long.
        """
        self._auto = None
        self._answer.clear()
        self._after: Mapping[tuple[int, ...], list[int]] = {}
        if self.params is not None:
            self._auto = Auto(self.params, private_part(public, private))
        elif self.longest_copy is not None:
            self._after = following(private_part(public, private), self.longest_copy)
        if self.watch is not None:
            self.watch.begin()
        # One after the other: together, each would round as the length of the other decides.
        with_context = self._canonical.prefill(self._with, private)[None]
        without_context = self._canonical.prefill(self._without, public)[None]
        first: Array = self._combined(with_context, without_context)[0]
        return first

    def delta(self, ids: AbstractSequence[int]) -> Array:
        """Append decided tokens to both sequences in one batch; the delta after each, (n, V)."""
        work = [(self._with, ids), (self._without, ids)]
        with_context, without_context = self._model.extend_many(work)
        self._answer += ids
        return self._combined(with_context, without_context)

    def rollback(self, count: int) -> None:
        """Forget the last ``count`` tokens of both sequences."""
        for sequence in (self._with, self._without):
            sequence.truncate(len(sequence) - count)
        del self._answer[len(self._answer) - count :]

    def _combined(self, with_context: Array, without_context: Array) -> Array:
        if self.watch is not None:
            self.watch.saw_own(len(self._answer) + 1 - len(without_context), without_context)
        if self._auto is None:
            result = difference(with_context, without_context)
            if self._after:
                end_copies(result, self._answer, self._after, self.longest_copy or 0)
            return result
        return self._auto.bonus(with_context, without_context, self._answer)

    def close(self) -> None:
        """Free both sequences."""
        self._with.close()
        self._without.close()


class NoSteering:
    """A delta of zero: the large model alone, without waking the small one.

    Args:
        vocab_size: V.
    """

    def __init__(self, vocab_size: int) -> None:
        self._zero: Array = np.zeros(vocab_size, np.float32)
        self.exact_steps = sys.maxsize

    def begin(self, public: AbstractSequence[int], private: AbstractSequence[int]) -> Array:
        """(V,) zeros."""
        return self._zero

    def delta(self, ids: AbstractSequence[int]) -> Array:
        """(n, V) zeros, as a view."""
        return np.broadcast_to(self._zero, (len(ids), self._zero.size))

    def rollback(self, count: int) -> None:
        """Nothing to forget."""
