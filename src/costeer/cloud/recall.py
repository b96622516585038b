"""The latest rows of log-probabilities, so that asking one position for more computes nothing.

A device that could not prove a choice from k log-probabilities asks the same position again with
a larger k; the row it needs was computed moments ago. A row is given only while a sequence still
holds the ids before it: otherwise the next request would have to evaluate them all together with
its own, in another shape than if this one had, and engines round differently in other shapes.
Knows token ids and rows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable
from collections.abc import Sequence as AbstractSequence

from costeer.models.base import LogProbs

ROWS = 64
"""How many are kept: 39 MB at 152,000 tokens. A device is let no further ahead than this."""


class Recall:
    """Rows (V,) by the ids that they follow. Safe to use from several threads."""

    def __init__(self, rows: int = ROWS) -> None:
        self._most = rows
        self._lock = threading.Lock()
        self._rows: OrderedDict[tuple[int, ...], LogProbs] = OrderedDict()

    def put(self, ids: AbstractSequence[int], row: LogProbs) -> None:
        """Keep the row that follows ``ids``; the oldest one makes room."""
        with self._lock:
            self._rows[tuple(ids)] = row
            if len(self._rows) > self._most:
                self._rows.popitem(last=False)

    def get(
        self, ids: AbstractSequence[int], held: Iterable[AbstractSequence[int]]
    ) -> LogProbs | None:
        """The row that follows ``ids``, if it is still here.

        Args:
            ids: of the request.
            held: what each sequence holds.
        """
        wanted = tuple(ids)
        with self._lock:
            row = self._rows.get(wanted)
        if row is None or not any(tuple(some[: len(wanted)]) == wanted for some in held):
            return None
        return row
