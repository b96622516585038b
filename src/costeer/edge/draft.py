"""The LLM's draft: its own continuation of a prefix, read in the background.

Terms. A *burst* is one request for several tokens. The *lead* is how many drafted steps have not
been verified yet. The next burst is requested once the lead has fallen to half a burst, so a device
slower than the LLM does not make it write tokens that a correction discards.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Collection, Generator, Sequence
from contextlib import closing
from dataclasses import dataclass

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.cancellation import Stop
from costeer.edge.verify import empty_stream_error

CLOSING_SECONDS = 0.5
"""How long the end of an answer waits for abandoned streams to close."""


@dataclass(slots=True)
class Burst:
    """How many tokens to request at once: more while the device keeps up.

    Attributes:
        most: steps further back than this may no longer be in the server's memory when they are
            asked for again.
    """

    size: int = 32
    least: int = 4
    most: int = 256

    def adapt(self, lead: int) -> None:
        """A burst has arrived in full; ``lead`` of its steps are unverified."""
        kept_up = lead <= self.size // 2
        self.size = min(2 * self.size, self.most) if kept_up else max(self.size // 2, self.least)


class DraftStream:
    """The LLM's steps after ``prefix``, read by a thread of its own.

    Args:
        cloud: the LLM.
        prefix: the token ids to continue.
        top_k: log-probabilities per step.
        max_tokens: the most steps.
        eos_ids: a step with such a token is the last one.
        burst: shared by all drafts of one answer.
        stop: ends the answer: the stream is cut, and ``wait`` raises StoppedError.
        replaces: the draft that this one takes the place of; abandon it afterwards.
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
        replaces: DraftStream | None = None,
    ) -> None:
        self._cloud = cloud
        self._ids = list(prefix)
        self._top_k = top_k
        self._remaining = max_tokens
        self._eos_ids = eos_ids
        self._burst = burst
        self._stop = stop
        self._changed = threading.Condition()
        self._unverified: deque[CloudStep] = deque()
        self._ended = False
        self._abandoned = False
        self._error: BaseException | None = None
        self.received = 0
        self._size = min(self._remaining, burst.size)
        # Opened here, not in the thread: the replaced stream must be named before it is closed.
        self._stream: Generator[CloudStep, None, None] = self._open_stream(
            None if replaces is None else replaces._stream
        )
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def wait(self) -> CloudStep | None:
        """Return the first unverified step, or None where the LLM ended before it.

        Raises:
            StoppedError: the answer was stopped.
            CloudError: the stream broke for good.
        """
        with self._changed:
            while not (self._unverified or self._ended or self._stop.is_set()):
                self._changed.wait()
            self._stop.check()
            if self._unverified:
                return self._unverified[0]
            if self._error is not None:
                raise self._error
            if not self.received:
                raise empty_stream_error()
            return None

    def accept(self) -> None:
        """Accept the first unverified step."""
        with self._changed:
            self._unverified.popleft()
            self._changed.notify_all()

    def abandon(self) -> None:
        """Stop drafting without blocking; the reader thread closes the stream."""
        with self._changed:
            self._abandoned = True
            self._changed.notify_all()

    @property
    def running(self) -> bool:
        """Whether the stream may still be open."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait until the stream is closed, for ``seconds`` at most."""
        self._thread.join(max(seconds, 0.0))

    # Everything below runs in the thread.

    def _run(self) -> None:
        try:
            with self._stop.calling(self._wake):
                while self._read_burst() and self._wait_for_device():
                    self._size = min(self._remaining, self._burst.size)
                    self._stream = self._open_stream()
        except BaseException as error:  # noqa: BLE001  # raised again by ``wait``
            self._error = error
        finally:
            self._ended = True
            self._wake()

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _open_stream(
        self, replaces: Generator[CloudStep, None, None] | None = None
    ) -> Generator[CloudStep, None, None]:
        return self._cloud.stream(self._ids, self._top_k, self._size, self._stop, replaces=replaces)

    def _read_burst(self) -> bool:
        """Read one burst; return whether it came in full and the answer goes on."""
        count = 0
        with closing(self._stream) as steps:
            for step in steps:
                with self._changed:
                    if self._abandoned:
                        return False
                    count += 1
                    self.received += 1
                    self._unverified.append(step)
                    self._changed.notify_all()
                if step.token in self._eos_ids:
                    return False
                self._ids.append(step.token)
        self._remaining -= count
        return count == self._size and self._remaining > 0

    def _wait_for_device(self) -> bool:
        """Wait until the device has caught up; return False if nobody wants more."""
        with self._changed:
            self._burst.adapt(len(self._unverified))
            while len(self._unverified) > self._burst.size // 2 and not self._unwanted():
                self._changed.wait()
            return not self._unwanted()

    def _unwanted(self) -> bool:
        return self._abandoned or self._stop.is_set()
