"""One connection of uvicorn's, held to limits that uvicorn does not have.

A request has to arrive whole within ``REQUEST_SECONDS``; connections are limited in number, and
idle ones make room; nothing that a peer sends makes a traceback. Knows HTTP/1.1 framing only.

A client that closes its sending half is taken for gone: it cannot be told from one that closed the
connection, and the work for that one must stop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 30.0
"""From the first byte of a request, or the connection's begin, to the request's end."""

CONNECTIONS = 512
"""The most at once; fewer where the system allows fewer open files."""

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


def most_connections() -> int:
    """``CONNECTIONS``, or half of the files that this process may open."""
    try:
        import resource
    except ImportError:  # not a Unix
        return CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if files == resource.RLIM_INFINITY else max(min(CONNECTIONS, files // 2), 1)


class Connection(H11Protocol):
    """See the module."""

    request_seconds = REQUEST_SECONDS
    most = most_connections()
    _timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower than asyncio.BaseTransport
        """Begin; the first request is waited for."""
        super().connection_made(transport)
        if len(self.connections) > self.most and not self._room():
            transport.write(REFUSAL)
            transport.close()
            return
        self._wait()

    def _room(self) -> bool:
        """Close an idle connection, one that never asked for anything if there is one."""
        others: list[Any] = [one for one in self.connections if one is not self]
        idle = [one for one in others if one.idle and not one.transport.is_closing()]
        if idle:
            min(idle, key=lambda one: one.cycle is not None).transport.close()
        return bool(idle)

    def data_received(self, data: bytes) -> None:
        """Take what came; once the request is whole, its time is no longer limited."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._wait()
        else:
            self._stop()

    def on_response_complete(self) -> None:
        """An answer has ended; the next request may have begun to come meanwhile."""
        super().on_response_complete()
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._stop()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """For broken framing; where an answer is under way already, the connection just ends."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _wait(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.request_seconds, self.transport.close)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class Terse(logging.Filter):
    """Drop tracebacks, which do not help an operator, and repeated messages within a minute.

    A server that is out of files would otherwise log megabytes a second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether to log it."""
        if record.exc_info and record.exc_info[0] is not None:
            record.msg = f"{str(record.msg).strip()} ({record.exc_info[0].__name__})"
        record.exc_info = record.exc_text = None
        text, now = record.getMessage(), time.monotonic()
        if now - self._seen.get(text, -60.0) < 60.0:
            return False
        if len(self._seen) > 100:
            self._seen.clear()
        self._seen[text] = now
        return True


TERSE = Terse()
