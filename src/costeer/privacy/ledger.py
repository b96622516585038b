"""What left the device: every exchange with the cloud, as the door itself recorded it.

Kept in memory only, each prompt once, however many requests repeated it, and up to fixed limits:
what is older is forgotten, and counted as ``forgotten``. Knows nothing about models or text;
showing token ids as words is done by whoever has the tokenizer.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from costeer.cloud.base import TrafficRecord

MOST_IDS = 1_000_000
"""Token ids kept: 4 MB, hundreds of long conversations."""

MOST_ENTRIES = 10_000
"""Exchanges kept one by one."""

LATEST = 32
"""Sequences that a new one is compared with."""


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


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange, without the ids, which ``Ledger.sequences`` has."""

    when: float  # seconds since the epoch
    what: str
    tokens: int  # of the prompt
    bytes_up: int
    bytes_down: int


class Ledger:
    """The exchanges so far; safe to write from several threads.

    Args:
        most_ids: token ids kept in ``sequences``.
        most_entries: exchanges kept in ``entries``.
    """

    def __init__(self, most_ids: int = MOST_IDS, most_entries: int = MOST_ENTRIES) -> None:
        self._most_ids = most_ids
        self._entries: deque[Entry] = deque(maxlen=most_entries)
        self._sequences: deque[array[int]] = deque()  # the one last added to at the end
        self._ids = 0  # in all sequences
        self._forgotten = 0
        self._totals = Totals()
        self._lock = threading.Lock()

    def record(self, entry: TrafficRecord) -> None:
        """Append one exchange; the door calls this."""
        ids = array("i", entry.token_ids)
        with self._lock:
            self._entries.append(
                Entry(entry.when, entry.what, len(ids), entry.bytes_up, entry.bytes_down)
            )
            self._add(ids)
            self._totals = Totals(
                self._totals.requests + 1,
                self._totals.bytes_up + entry.bytes_up,
                self._totals.bytes_down + entry.bytes_down,
            )

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The latest exchanges, oldest first."""
        with self._lock:
            return tuple(self._entries)

    @property
    def totals(self) -> Totals:
        """Sums over all exchanges so far, those forgotten included."""
        with self._lock:
            return self._totals

    @property
    def forgotten(self) -> int:
        """Sequences that went up and are not kept any more."""
        with self._lock:
            return self._forgotten

    def record_answer(self, ids: Iterable[int]) -> None:
        """An answer is over: its prompt and its tokens.

        Those that the LLM wrote and nobody corrected never went up, but it can tell that they
        were taken.
        """
        whole = array("i", ids)
        with self._lock:
            if any(whole[: len(known)] == known for known in self._latest()):  # else nothing went
                self._add(whole)

    def sequences(self) -> list[tuple[int, ...]]:
        """The distinct token sequences that the far side knows, each at its longest.

        Every request of one answer repeats the prompt and adds to it; only the last says
        something new.
        """
        with self._lock:
            return [tuple(ids) for ids in self._sequences]

    def _latest(self) -> Iterable[array[int]]:
        return islice(reversed(self._sequences), LATEST)

    def _add(self, ids: array[int]) -> None:
        known = self._sequences
        if known and ids[: len(known[-1])] == known[-1]:
            self._ids += len(ids) - len(known[-1])
            known[-1] = ids
        elif ids and not any(one[: len(ids)] == ids for one in self._latest()):
            self._ids += len(ids)
            known.append(ids)
        while self._ids > self._most_ids and len(known) > 1:
            self._ids -= len(known.popleft())
            self._forgotten += 1
