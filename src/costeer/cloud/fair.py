"""A semaphore that serves its waiters in order: by priority, then first come, first served.

``threading.Lock`` gives no order: a thread that releases it and asks again at once usually gets it
again, and the others starve. Knows nothing about what is shared.
"""

from __future__ import annotations

import threading
from bisect import insort
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count

from costeer.cloud.cancellation import Stop


class FairSemaphore:
    """A number of permits, handed to those who wait in order.

    Args:
        permits: how many holders there may be at once.
    """

    def __init__(self, permits: int) -> None:
        self._permits = permits
        self._changed = threading.Condition()
        self._waiting: list[tuple[int, int]] = []  # (-priority, arrival), the next one first
        self._held = 0
        self._given = 0
        self._arrivals = count()

    @property
    def waiting(self) -> int:
        """How many wait."""
        with self._changed:
            return len(self._waiting)

    def acquire(self, stop: Stop | None = None, priority: int = 0) -> int:
        """Take a permit, waiting for it in order.

        Args:
            stop: ends the wait.
            priority: a larger one goes before smaller ones that wait.

        Returns:
            How many others it waited for: those that held a permit, and those that got one first.

        Raises:
            StoppedError: ``stop`` was set first.
        """
        stop = stop or Stop()
        with stop.calling(self._wake), self._changed:
            ticket = (-priority, next(self._arrivals))
            held, given = self._held, self._given
            insort(self._waiting, ticket)
            try:
                while not (self._permits and self._waiting[0] == ticket):
                    stop.check()
                    self._changed.wait()
                self._permits -= 1
                self._held += 1
                self._given += 1
                return held + self._given - given - 1
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def release(self) -> None:
        """Give a permit back."""
        with self._changed:
            self._permits += 1
            self._held -= 1
            self._changed.notify_all()

    @contextmanager
    def permit(self, stop: Stop | None = None, priority: int = 0) -> Iterator[int]:
        """Hold a permit within the block; arguments, value and errors as for ``acquire``."""
        others = self.acquire(stop, priority)
        try:
            yield others
        finally:
            self.release()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()
