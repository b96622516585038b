"""What left the device: every exchange with the cloud, as the door itself recorded it.

Kept in memory only. Knows nothing about models or text; showing token ids as words is done by
whoever has the tokenizer.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from costeer.cloud.base import TrafficRecord


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over exchanges."""

    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def __sub__(self, earlier: Totals) -> Totals:
        return Totals(
            self.requests - earlier.requests,
            self.bytes_up - earlier.bytes_up,
            self.bytes_down - earlier.bytes_down,
        )


class Ledger:
    """An append-only list of exchanges; safe to write from several threads."""

    def __init__(self) -> None:
        self._records: list[TrafficRecord] = []
        self._sequences: list[tuple[int, ...]] = []
        self._totals = Totals()
        self._lock = threading.Lock()

    def record(self, entry: TrafficRecord) -> None:
        """Append one exchange; the door calls this."""
        with self._lock:
            self._records.append(entry)
            self._add(entry.token_ids)
            self._totals = Totals(
                self._totals.requests + 1,
                self._totals.bytes_up + entry.bytes_up,
                self._totals.bytes_down + entry.bytes_down,
            )

    @property
    def records(self) -> tuple[TrafficRecord, ...]:
        """All exchanges so far, oldest first."""
        with self._lock:
            return tuple(self._records)

    @property
    def totals(self) -> Totals:
        """Sums over all exchanges so far."""
        with self._lock:
            return self._totals

    def taken(self, ids: tuple[int, ...]) -> None:
        """An answer is over: its prompt and its tokens.

        Those that the LLM wrote and nobody corrected never went up, but it can tell that they
        were taken.
        """
        with self._lock:
            if any(ids[: len(known)] == known for known in self._sequences):  # else nothing went up
                self._add(ids)

    def sequences(self) -> list[tuple[int, ...]]:
        """The distinct token sequences that the far side knows, each once and at its longest.

        Every request of one answer repeats the prompt and adds to it; only the last says
        something new.
        """
        with self._lock:
            return list(self._sequences)

    def _add(self, ids: tuple[int, ...]) -> None:
        longest = self._sequences
        if longest and ids[: len(longest[-1])] == longest[-1]:
            longest[-1] = ids
        elif ids and not any(known[: len(ids)] == ids for known in longest):
            longest.append(ids)
