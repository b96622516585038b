"""What left the device: every exchange with the cloud, as the client recorded it at the socket.

Kept in memory only, up to fixed limits, and each prompt once, however many requests repeated it.
Older prompts are dropped and counted in ``forgotten``. Knows nothing about models or text; turning
token ids into words takes the tokenizer.
"""

from __future__ import annotations

import threading
from array import array
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from costeer.cloud.base import TrafficRecord

MOST_IDS = 1_000_000
"""How many token ids are kept: 4 MB, hundreds of long conversations."""

MOST_ENTRIES = 10_000
"""How many exchanges are kept one by one."""

LATEST = 32
"""How many of the latest sequences a new one is compared with."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Totals over exchanges."""

    requests: int = 0
    bytes_up: int = 0
    bytes_down: int = 0

    def __sub__(self, earlier: Totals) -> Totals:
        return Totals(
            self.requests - earlier.requests,
            self.bytes_up - earlier.bytes_up,
            self.bytes_down - earlier.bytes_down,
        )

    def plus(self, entry: TrafficRecord) -> Totals:
        """Return the sums with one more exchange."""
        return Totals(
            self.requests + 1,
            self.bytes_up + entry.bytes_up,
            self.bytes_down + entry.bytes_down,
        )


@dataclass(slots=True)
class Tally:
    """The sums of one answer."""

    prompt: array[int]
    totals: Totals = Totals()
    exchanges: list[TrafficRecord] | None = None
    """All of them, where they were asked for."""


@dataclass(frozen=True, slots=True)
class Body:
    """The body of one request, as it was sent."""

    when: float  # seconds since the epoch
    what: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """One exchange, without its token ids; those are in ``Ledger.sequences``."""

    when: float  # seconds since the epoch
    what: str
    tokens: int  # length of the prompt
    bytes_up: int
    bytes_down: int


class Ledger:
    """All exchanges so far. Several threads may write to it.

    Args:
        most_ids: how many token ids ``sequences`` keeps.
        most_entries: how many exchanges ``entries`` keeps.
        most_bytes: how many bytes of request bodies ``bodies`` keeps; by default none.
    """

    def __init__(
        self,
        most_ids: int = MOST_IDS,
        most_entries: int = MOST_ENTRIES,
        most_bytes: int = 0,
    ) -> None:
        self._most_ids = most_ids
        self._entries: deque[Entry] = deque(maxlen=most_entries)
        self._sequences: deque[array[int]] = deque()  # the one extended last at the end
        self._ids = 0  # in all sequences
        self._forgotten = 0
        self._totals = Totals()
        self._tallies: list[Tally] = []
        self._most_bytes = most_bytes
        self._bodies: deque[Body] = deque()
        self._bytes = 0  # in all bodies
        self._lock = threading.Lock()

    def record(self, entry: TrafficRecord) -> None:
        """Record one exchange; called by the client."""
        ids = array("i", entry.token_ids)
        with self._lock:
            self._entries.append(
                Entry(entry.when, entry.what, len(ids), entry.bytes_up, entry.bytes_down)
            )
            self._add(ids)
            self._totals = self._totals.plus(entry)
            for tally in self._tallies:
                if ids[: len(tally.prompt)] == tally.prompt:
                    tally.totals = tally.totals.plus(entry)
                    if tally.exchanges is not None:
                        tally.exchanges.append(entry)
            self._keep(Body(entry.when, entry.what, entry.body))

    def open_tally(self, prompt: Sequence[int], *, keep: bool = False) -> Tally:
        """Begin to sum up the exchanges of one answer.

        Args:
            prompt: they are known by beginning with it. Answers to the same prompt that are written
                at the same time count each other's as well.
            keep: whether ``exchanges`` holds them one by one.
        """
        tally = Tally(array("i", prompt), exchanges=[] if keep else None)
        with self._lock:
            self._tallies.append(tally)
        return tally

    def close_tally(self, tally: Tally) -> Totals:
        """End the sums of one answer and return them."""
        with self._lock:
            self._tallies = [other for other in self._tallies if other is not tally]
        return tally.totals

    @property
    def bodies(self) -> tuple[Body, ...]:
        """The latest request bodies as they were sent, oldest first, up to ``most_bytes``."""
        with self._lock:
            return tuple(self._bodies)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The latest exchanges, oldest first."""
        with self._lock:
            return tuple(self._entries)

    @property
    def totals(self) -> Totals:
        """Totals over all exchanges, including forgotten ones."""
        with self._lock:
            return self._totals

    @property
    def forgotten(self) -> int:
        """How many sequences were sent and are no longer kept."""
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
        """Return the distinct token sequences that the cloud knows, each at its longest.

        All requests of an answer repeat its prompt and extend it, so only the last one counts.
        """
        with self._lock:
            return [tuple(ids) for ids in self._sequences]

    def _keep(self, body: Body) -> None:
        if not body.body or not self._most_bytes:
            return
        self._bodies.append(body)
        self._bytes += len(body.body)
        while self._bytes > self._most_bytes:
            self._bytes -= len(self._bodies.popleft().body)

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
