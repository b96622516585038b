"""Ids and their cache of a torch model. Knows nothing about how a pass is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from costeer.models.base import LanguageModel, LogProbs
from costeer.models.engines.sequence import OwnedSequence


class Owner(LanguageModel, Protocol):
    """A model that knows its open sequences."""

    opened: set[Any]


class TransformersSequence(OwnedSequence[Owner]):
    """Ids and their cache.

    The ids are authoritative. The cache may hold more (after ``truncate``) or fewer (after an
    interrupted pass); it is aligned when the sequence is next used.
    """

    def __init__(self, model: Owner, cache: Any) -> None:
        super().__init__(model)
        self.cache = cache

    def extend(self, ids: Sequence[int], rows: int | None = None) -> LogProbs:
        """Append ids; see ``models.base.TokenSequence``."""
        return self._extended(self, ids, rows)

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        self.shrink(length)
        self.align()

    def align(self) -> None:
        """Cut off what the cache holds beyond the ids."""
        excess = self.cache.get_seq_length() - len(self)
        if excess > 0:
            self.cache.crop(-excess)  # negative: how many to remove, in every version

    def close(self) -> None:
        """Free the cache."""
        model, self.model = self.model, None
        if model is not None:
            self.cache = None
            model.opened.discard(self)
