"""An answer, written in a thread of its own and read by a coroutine.

The thread never waits for its reader: what is written is kept until it is read, which is at most
one answer. So a slow client holds no lane longer than a fast one.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from costeer.edge.answer import Chunk
from costeer.exceptions import StoppedError
from costeer.gateway.answering import Answer


class Pump:
    """Begins an answer at once.

    Args:
        start: begins the answer, in the thread; may take long.
        done: called in the event loop when the thread has ended, and everything is free again.
    """

    def __init__(self, start: Callable[[], Answer], done: Callable[[], None]) -> None:
        self._start = start
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._ready = asyncio.Event()
        self._chunks: deque[Chunk] = deque()
        self._error: BaseException | None = None
        self._ended = False
        self._lock = threading.Lock()
        self._abandoned = False
        self.answer: Answer | None = None
        self._thread = threading.Thread(target=self._run, name="costeer-answer", daemon=True)
        self._thread.start()

    def abandon(self) -> None:
        """Nobody reads on: the answer ends within a token."""
        with self._lock:
            self._abandoned = True
            answer = self.answer
        if answer is not None:
            answer.stop()
        self._ready.set()

    @property
    def abandoned(self) -> bool:
        """Whether ``abandon`` was called."""
        return self._abandoned

    def wait(self, seconds: float) -> None:
        """Wait until the thread has ended; not in the event loop's thread."""
        self._thread.join(seconds)

    async def started(self) -> None:
        """Wait until ``answer`` is there, or nobody wants it any more.

        Raises:
            CoSteerError: it could not be begun.
        """
        while not (self._abandoned or self.answer is not None):
            self._ready.clear()
            if self._ended and self._error is not None:
                raise self._error
            await self._ready.wait()

    async def chunks(self) -> AsyncIterator[Chunk]:
        """The chunks as they come; ends early when abandoned.

        Raises:
            CoSteerError: the answer's own.
            StoppedError: somebody else stopped it.
        """
        while not self._abandoned:
            self._ready.clear()
            while self._chunks and not self._abandoned:
                yield self._chunks.popleft()
            if self._ended and not self._chunks:
                if self._error is not None:
                    raise self._error
                return
            await self._ready.wait()

    # Everything below runs in the thread.

    def _run(self) -> None:
        try:
            self._write()
        except BaseException as error:  # noqa: BLE001 - raised again by ``chunks``
            self._error = error
        self._ended = True
        self._notify(self._finish)

    def _write(self) -> None:
        answer = self._start()
        with self._lock:
            self.answer = answer
            if self._abandoned:
                answer.stop()
        self._notify(self._ready.set)
        for chunk in answer:
            self._chunks.append(chunk)
            self._notify(self._ready.set)
        if answer.result.finish_reason == "interrupted":
            raise StoppedError

    def _finish(self) -> None:
        self._ready.set()
        self._done()

    def _notify(self, callback: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(callback)
