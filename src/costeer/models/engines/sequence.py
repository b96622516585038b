"""What sequences of all engines have in common: their ids are the truth.

Knows nothing of caches; an engine brings its own in line with the ids when a sequence is next used.
"""

from __future__ import annotations

from collections.abc import Sequence as AbstractSequence
from typing import Generic, TypeVar

from costeer.exceptions import ModelError
from costeer.models.base import Call, LanguageModel, LogProbs, Sequence

M = TypeVar("M", bound=LanguageModel)


class OpenedSequence(Generic[M]):
    """Ids held for a model; ``model`` is None once it is closed."""

    def __init__(self, model: M, ids: AbstractSequence[int] = ()) -> None:
        self.tokens = list(ids)
        self.calls: list[Call] = []  # one for each token
        self.model: M | None = model

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids evaluated so far."""
        return tuple(self.tokens)

    def __len__(self) -> int:
        return len(self.tokens)

    def grow(self, ids: AbstractSequence[int], calls: AbstractSequence[Call]) -> None:
        """Ids were evaluated, by these calls."""
        self.tokens += ids
        self.calls += calls

    def shrink(self, length: int) -> None:
        """Forget the ids after the first ``length``."""
        self.owner()
        del self.tokens[max(length, 0) :]
        del self.calls[max(length, 0) :]

    def owner(self) -> M:
        """The model, if the sequence is open."""
        if self.model is None:
            raise ModelError("This sequence is closed.", "Open another one.")
        return self.model

    def _extended(
        self, sequence: Sequence, ids: AbstractSequence[int], rows: int | None
    ) -> LogProbs:
        return self.owner().extend_many([(sequence, ids)], rows)[0]
