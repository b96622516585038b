"""Stop work from any thread: pauses, blocked reads, computations.

Knows nothing about what is stopped; code that blocks registers how to wake it (``calling``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from costeer.exceptions import StoppedError


class Stop:
    """Set once, never cleared. Safe to use from several threads and from signal handlers."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.RLock()
        self._actions: dict[object, Callable[[], None]] = {}

    def set(self) -> None:
        """Stop: wake what blocks; everything else stops at its next ``check``."""
        with self._lock:  # so that no action runs after its block has ended
            self._event.set()
            for action in list(self._actions.values()):
                action()

    def is_set(self) -> bool:
        """Return whether ``set`` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Pause; return True, and early, if stopped."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raise StoppedError if stopped."""
        if self.is_set():
            raise StoppedError

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Call ``action`` when stopped within the block, from the thread that stops.

        If stopped already, it is called at once. It must not block.
        """
        key = object()
        with self._lock:
            self._actions[key] = action
            if self.is_set():
                action()
        try:
            yield
        finally:
            with self._lock:
                del self._actions[key]


@contextmanager
def either(*stops: Stop | None) -> Iterator[Stop]:
    """Make a ``Stop`` that is set when one of ``stops`` is; None stands for one that never is."""
    both = Stop()
    with ExitStack() as stack:
        for stop in stops:
            if stop is not None:
                stack.enter_context(stop.calling(both.set))
        yield both
