"""A cache of the latest rows of log-probabilities.

A device that cannot prove a choice from k log-probabilities requests the same position with a
larger k; the row was computed moments ago. Where rows are repeatable, one is returned only for the
same engine calls that computed it, so the cache never changes a result. Knows token ids and rows.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

from costeer.models.base import Call, LogProbs

ROWS = 64
"""How many are kept: 39 MB at 152,000 tokens. A server announces it; a device drafts no further."""


class RowCache:
    """Rows (V,) by the ids before them. Safe to use from several threads.

    Args:
        rows: how many are kept.
    """

    def __init__(self, rows: int = ROWS) -> None:
        self._most = rows
        self._lock = threading.Lock()
        self._rows: OrderedDict[tuple[int, ...], tuple[list[Call], LogProbs]] = OrderedDict()

    def put(self, ids: Sequence[int], calls: Sequence[Call], row: LogProbs) -> None:
        """Keep the row after ``ids``, evaluated by ``calls``; drop the oldest if necessary."""
        key = tuple(ids)
        with self._lock:
            self._rows.pop(key, None)
            self._rows[key] = (list(calls), row)
            if len(self._rows) > self._most:
                self._rows.popitem(last=False)

    def get(self, ids: Sequence[int], calls: Sequence[Call] | None) -> LogProbs | None:
        """Return the row after ``ids`` if it is cached and was evaluated by these ``calls``.

        Args:
            ids: what the row follows.
            calls: None for any.
        """
        with self._lock:
            held, row = self._rows.get(tuple(ids), (None, None))
        return row if calls is None or held == list(calls) else None
