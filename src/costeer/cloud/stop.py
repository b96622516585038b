"""A request to stop, made from any thread, and what it ends: pauses, blocked reads, computations.

Knows nothing of what is stopped; whoever blocks says how to be woken (``calling``).
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
        """Stop: what blocks is woken, and everything else finds out at its next ``check``."""
        with self._lock:  # held meanwhile, so that no action runs after its block was left
            self._event.set()
            for action in list(self._actions.values()):
                action()

    def is_set(self) -> bool:
        """Whether ``set`` was called."""
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Pause; returns early, with True, when stopped."""
        return self._event.wait(seconds)

    def check(self) -> None:
        """Raise StoppedError once stopped."""
        if self.is_set():
            raise StoppedError

    @contextmanager
    def calling(self, action: Callable[[], None]) -> Iterator[None]:
        """Within the block, have ``action`` called (from the stopping thread) when stopped.

        If that has happened already, it is called now. It must not block.
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
    """A ``Stop`` that is set when one of ``stops`` is; None stands for one that never is."""
    both = Stop()
    with ExitStack() as stack:
        for stop in stops:
            if stop is not None:
                stack.enter_context(stop.calling(both.set))
        yield both
