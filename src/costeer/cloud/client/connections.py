"""Connections to one server that can be cut from another thread.

httpx cannot end a read that another thread is blocked in, and does not tell which of its
connections a request uses before the answer begins. So each ``Line`` has an httpx client to itself,
serves one exchange at a time, and notes its socket as it is made.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import httpx

from costeer.cloud.stop import Stop
from costeer.exceptions import UsageError

IDLE = 60.0
"""Seconds that an idle connection is kept: our own server closes it after 75."""


class Line:
    """At most one connection, reused from exchange to exchange.

    Args:
        client: used by nobody else.
    """

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self._socket: socket.socket | None = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Note the socket of a connection just made; the ``trace`` extension of httpcore."""
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._socket = info["return_value"].get_extra_info("socket")

    def cut(self) -> None:
        """End the connection: reads and writes on it, in any thread, fail at once."""
        if self._socket is not None:
            with suppress(OSError, ValueError):
                # Not ssl's own shutdown, which takes the TLS state from under the reader.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


class Lines:
    """The lines to one server, as many as are used at once. May be used from several threads.

    Args:
        headers: for every request.
        verify: as httpx has it.
        proxies: whether those of the environment are used.
    """

    def __init__(
        self, headers: dict[str, str], verify: ssl.SSLContext | bool, *, proxies: bool
    ) -> None:
        self._options: dict[str, Any] = {
            "headers": headers,
            "verify": verify,
            "trust_env": proxies,
            "limits": httpx.Limits(max_connections=1, keepalive_expiry=IDLE),
        }
        self._idle: list[Line] = []
        self._lock = threading.Lock()
        self._closed = False

    @contextmanager
    def taken(self, stop: Stop) -> Iterator[Line]:
        """A line for one exchange; ``stop`` cuts it.

        Raises:
            UsageError: a proxy that the environment names cannot be used.
        """
        with self._lock:
            line = self._idle.pop() if self._idle else None
        if line is None:
            line = Line(self._client())
        try:
            with stop.calling(line.cut):
                yield line
        finally:
            with self._lock:
                keep = not self._closed
                if keep:
                    self._idle.append(line)
            if not keep:
                line.client.close()

    def close(self) -> None:
        """Close the idle lines now and the others when they are given back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for line in idle:
            line.client.close()

    def _client(self) -> httpx.Client:
        try:
            return httpx.Client(**self._options)
        except (ImportError, ValueError, httpx.InvalidURL):
            raise UsageError(
                "The proxy that the environment names cannot be used.",
                "Check HTTP_PROXY, HTTPS_PROXY and ALL_PROXY; socks needs `pip install socksio`.",
            ) from None
