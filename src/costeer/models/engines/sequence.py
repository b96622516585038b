"""What sequences of all engines have in common: their ids are authoritative.

Knows nothing about caches; an engine aligns its own with the ids when a sequence is next used.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Generic, TypeVar

from costeer.exceptions import ModelError
from costeer.models.base import Call, LanguageModel, LogProbs, TokenSequence

M = TypeVar("M", bound=LanguageModel)


class OwnedSequence(Generic[M]):
    """Ids evaluated by a model; ``model`` is None once the sequence is closed."""

    def __init__(self, model: M) -> None:
        self.tokens: list[int] = []
        self.calls: list[Call] = []  # one for each token
        self.model: M | None = model

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids evaluated so far."""
        return tuple(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def grow(self, ids: Sequence[int], calls: Sequence[Call]) -> None:
        """Append ids that these calls have evaluated."""
        self.tokens += ids
        self.calls += calls

    def shrink(self, length: int) -> None:
        """Forget the ids after the first ``length``."""
        self.owner()
        del self.tokens[max(length, 0) :]
        del self.calls[max(length, 0) :]

    def owner(self) -> M:
        """Return the model; raise ModelError if the sequence is closed."""
        if self.model is None:
            raise ModelError("This sequence is closed.", "Open another one.")
        return self.model

    def _extended(self, sequence: TokenSequence, ids: Sequence[int], rows: int | None) -> LogProbs:
        return self.owner().extend_many([(sequence, ids)], rows)[0]
