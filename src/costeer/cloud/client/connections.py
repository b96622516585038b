"""Connections to one server that can be cut from another thread.

httpx2 cannot end a read that blocks another thread, and does not say which of its connections a
request uses before the response begins. So each ``PooledConnection`` has an httpx2 client of its
own, serves one exchange at a time, and remembers its socket.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx2

from costeer.cloud.cancellation import Stop
from costeer.exceptions import UsageError

IDLE = 60.0
"""Seconds that an idle connection is kept; our own server closes it after 75."""


class PooledConnection:
    """At most one connection, reused from exchange to exchange.

    Args:
        client: used by nothing else.
    """

    def __init__(self, client: httpx2.Client) -> None:
        self.client = client
        self._socket: socket.socket | None = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Remember the socket of a new connection; the ``trace`` extension of httpcore2."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def cut(self) -> None:
        """Cut the connection: reads and writes on it fail at once, in any thread."""
        if self._socket is not None:
            with suppress(OSError, ValueError):
                # Not ssl's own shutdown, which removes the TLS state while another thread reads.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class ConnectionPool:
    """The connections to one server, as many as are used at once. May be used from several threads.

    Args:
        headers: for every request.
        verify: see ``httpx2.Client``.
        proxies: whether to use those that the environment names.
    """

    def __init__(
        self, headers: dict[str, str], verify: ssl.SSLContext | bool, *, proxies: bool
    ) -> None:
        self._options: dict[str, Any] = {
            "headers": headers,
            "verify": verify,
            "trust_env": proxies,
            "limits": httpx2.Limits(max_connections=1, keepalive_expiry=IDLE),
        }
        self._idle: list[PooledConnection] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def take(self, stop: Stop) -> Iterator[PooledConnection]:
        """Lend a connection for one exchange; ``stop`` cuts it.

        Raises:
            UsageError: a proxy that the environment names cannot be used.
        """
        with self._lock:
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = PooledConnection(self._client())
        try:
            with stop.calling(connection.cut):
                yield connection
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(connection)
            if not keep:
                connection.client.close()

    def close(self) -> None:
        """Close the idle connections now, and the others when they are returned."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.client.close()

    def _client(self) -> httpx2.Client:
        try:
            return httpx2.Client(**self._options)
        except (ImportError, ValueError, httpx2.InvalidURL):
            raise UsageError(
                "The proxy that the environment names cannot be used.",
                "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; socks needs `pip install socksio`.",
            ) from None
