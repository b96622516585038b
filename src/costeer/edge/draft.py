"""The LLM's own continuation of a prefix, read in the background while the device checks it.

Terms. A *burst* is one request for several tokens. The *lead* is how many steps have arrived that
the device has not decided yet. After a burst the next one is asked for when the lead has fallen to
half of it, so a device that is slower than the LLM does not make it write for nothing.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.row_cache import ROWS
from costeer.cloud.stop import Stop
from costeer.edge.verify import unanswered

PARTING = 0.5
"""Seconds that an answer's end may wait for abandoned streams to be closed."""


@dataclass(slots=True)
class Burst:
    """How many tokens to ask for in one request: more while the device keeps up."""

    size: int = 32
    least: int = 4
    most: int = ROWS  # steps further back may not be remembered by the server when asked again

    def ended(self, lead: int) -> None:
        """A burst has come in full; ``lead`` of its steps are undecided."""
        kept_up = lead <= self.size // 2
        self.size = min(2 * self.size, self.most) if kept_up else max(self.size // 2, self.least)


class Ahead:
    """Steps of the LLM after ``prefix``, from a thread of its own.

    Args:
        cloud: the LLM side.
        prefix: what it continues.
        top_k: log-probabilities a step.
        max_tokens: the most steps.
        eos_ids: a step of such a token is the last.
        burst: shared by all that read ahead for one device.
        stop: ends the answer: the stream is cut, and ``wait`` raises StoppedError.
    """

    def __init__(
        self,
        cloud: CloudModel,
        prefix: Sequence[int],
        top_k: int,
        max_tokens: int,
        eos_ids: Collection[int],
        burst: Burst,
        stop: Stop,
    ) -> None:
        self._cloud = cloud
        self._ids = list(prefix)
        self._top_k = top_k
        self._left = max_tokens
        self._eos_ids = eos_ids
        self._burst = burst
        self._stop = stop
        self._changed = threading.Condition()
        self._undecided: deque[CloudStep] = deque()
        self._over = False  # no more will come
        self._left_behind = False  # nobody waits for the rest
        self._error: BaseException | None = None
        self.received = 0
        # Begun here, not in the thread: the door then knows which older stream this one replaces.
        self._size = min(self._left, burst.size)
        self._stream = self._begin()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> CloudStep | None:
        """The first undecided step; None where the LLM ends before that.

        Raises:
            StoppedError: the answer was stopped.
            CloudError: the stream broke for good.
        """
        with self._changed:
            while not (self._undecided or self._over or self._stop.is_set()):
                self._changed.wait()
            self._stop.check()
            if self._undecided:
                return self._undecided[0]
            if self._error is not None:
                raise self._error
            if not self.received:
                raise unanswered()
            return None

    def tokens(self) -> list[int]:
        """The undecided steps' tokens."""
        with self._changed:
            return [step.token for step in self._undecided]

    def agreed(self) -> None:
        """The device decided as the first undecided step says."""
        with self._changed:
            self._undecided.popleft()
            self._changed.notify_all()

    def leave(self) -> None:
        """Nothing more is wanted; returns at once, the stream is closed by its own thread."""
        with self._changed:
            self._left_behind = True
            self._changed.notify_all()

    @property
    def running(self) -> bool:
        """Whether its stream may still be open."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for the stream to be closed, at most so long."""
        self._thread.join(max(seconds, 0.0))

    # From here on: the thread.

    def _run(self) -> None:
        try:
            with self._stop.calling(self._wake):
                while self._read() and self._wanted():
                    self._size = min(self._left, self._burst.size)
                    self._stream = self._begin()
        except BaseException as error:  # noqa: BLE001  # whoever waits for a step gets it
            self._error = error
        finally:
            self._over = True
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _begin(self) -> Generator[CloudStep, None, None]:
        return self._cloud.stream(self._ids, self._top_k, self._size, self._stop)

    def _read(self) -> bool:
        """One burst; whether it came in full and the answer goes on."""
        count = 0
        with closing(self._stream) as steps:
            for step in steps:
                with self._changed:
                    if self._left_behind:
                        return False
                    count += 1
                    self.received += 1
                    self._undecided.append(step)
                    self._changed.notify_all()
                if step.token in self._eos_ids:
                    return False
                self._ids.append(step.token)
        self._left -= count
        return count == self._size and self._left > 0

    def _wanted(self) -> bool:
        """Wait until the device has caught up; False once stopped."""
        with self._changed:
            self._burst.ended(len(self._undecided))
            while len(self._undecided) > self._burst.size // 2 and not self._unwanted():
                self._changed.wait()
            return not self._unwanted()

    def _unwanted(self) -> bool:
        return self._left_behind or self._stop.is_set()
