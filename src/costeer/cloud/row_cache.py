"""The latest rows of log-probabilities, so that asking one position for more computes nothing.

A device that could not prove a choice from k log-probabilities asks the same position again with
a larger k; the row it needs was computed moments ago. A row is given only to those who would
compute it by the same engine calls, so that it is the row they would have got without this.
Knows token ids and rows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence as AbstractSequence

from costeer.models.base import Call, LogProbs

ROWS = 64
"""How many are kept: 39 MB at 152,000 tokens. A device is let no further ahead than this."""


class RowCache:
    """Rows (V,) by the ids that they follow. Safe to use from several threads.

    Args:
        rows: how many are kept.
    """

    def __init__(self, rows: int = ROWS) -> None:
        self._most = rows
        self._lock = threading.Lock()
        self._rows: OrderedDict[tuple[int, ...], tuple[list[Call], LogProbs]] = OrderedDict()

    def put(self, ids: AbstractSequence[int], calls: AbstractSequence[Call], row: LogProbs) -> None:
        """Keep the row that follows ``ids``, evaluated by ``calls``; the oldest makes room."""
        key = tuple(ids)
        with self._lock:
            self._rows.pop(key, None)
            self._rows[key] = (list(calls), row)
            if len(self._rows) > self._most:
                self._rows.popitem(last=False)

    def get(self, ids: AbstractSequence[int], calls: AbstractSequence[Call]) -> LogProbs | None:
        """The row that follows ``ids``, if it is still here and came from these ``calls``."""
        with self._lock:
            known = self._rows.get(tuple(ids))
        return None if known is None or known[0] != list(calls) else known[1]
