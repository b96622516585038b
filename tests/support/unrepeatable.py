"""A toy model that computes as engines do on a GPU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy.typing as npt

from tests.support.serving import EndlessModel


class UnrepeatableModel(EndlessModel):
    """Evaluates the ids of a call together, and does not promise repeatable rows."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.repeatable = False
        self.exact_batch = 1

    def extend_many(
        self, work: Sequence[tuple[Any, ...]], rows: int | None = None
    ) -> list[npt.NDArray[Any]]:
        found = super().extend_many(work, rows)
        for sequence, ids in work:
            end = len(sequence)
            sequence.calls[-len(ids) :] = [(end - len(ids), end)] * len(ids)
        return found
