"""A uvicorn connection with limits that uvicorn itself does not have.

A request has to arrive in full within ``REQUEST_SECONDS``. The number of connections is limited,
and idle ones are closed to make room. Nothing that a peer sends causes a traceback. Knows HTTP/1.1
framing only.

A client that closes its sending half counts as gone: it looks like one that closed the connection,
and work for that one must stop.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

REQUEST_SECONDS = 30.0
"""From the first byte of a request, or the start of the connection, to the end of the request."""

CONNECTIONS = 512
"""The most at the same time; fewer where the system allows fewer open files."""

REFUSAL = (
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 1\r\ncontent-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


def most_connections() -> int:
    """Return ``CONNECTIONS``, or half of the files this process may open if that is less."""
    try:
        import resource
    except ImportError:  # not a Unix
        return CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS if files == resource.RLIM_INFINITY else max(min(CONNECTIONS, files // 2), 1)


class LimitedConnection(H11Protocol):
    """One connection of uvicorn, with a limited time for each request."""

    request_seconds = REQUEST_SECONDS
    most = most_connections()
    _timer: asyncio.TimerHandle | None = None

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        return self.cycle is None or self.cycle.response_complete

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower than asyncio.BaseTransport
        """Start the timer of the first request, or refuse the connection."""
        super().connection_made(transport)
        if len(self.connections) > self.most and not self._close_idle():
            transport.write(REFUSAL)
            transport.close()
            return
        self._start_timer()

    def _close_idle(self) -> bool:
        """Close an idle connection, preferably one that never sent a request."""
        others: list[Any] = [one for one in self.connections if one is not self]
        idle = [one for one in others if one.idle and not one.transport.is_closing()]
        if idle:
            min(idle, key=lambda one: one.cycle is not None).transport.close()
        return bool(idle)

    def data_received(self, data: bytes) -> None:
        """Pass data on; stop the timer once the request is complete."""
        super().data_received(data)
        if self.conn.their_state in (h11.IDLE, h11.SEND_BODY):
            self._start_timer()
        else:
            self._stop_timer()

    def on_response_complete(self) -> None:
        """Start the timer again if the next request has begun to arrive."""
        super().on_response_complete()
        state = self.conn.their_state
        if state is h11.SEND_BODY or (state is h11.IDLE and self.conn.trailing_data[0]):
            self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timer."""
        self._stop_timer()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Answer broken framing; close the connection if a response has begun already."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            super().send_400_response(msg)
        else:
            self.transport.close()

    def _start_timer(self) -> None:
        if self._timer is None:
            self._timer = self.loop.call_later(self.request_seconds, self.transport.close)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class TerseFilter(logging.Filter):
    """Drops tracebacks, which do not help an operator, and messages repeated within a minute.

    A server that is out of files would otherwise log megabytes per second.
    """

    def __init__(self) -> None:
        super().__init__()
        self._seen: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether to log the record; cut its traceback."""
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


TERSE_FILTER = TerseFilter()
