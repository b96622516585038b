"""One HTTP exchange at a time with one server: a request out, the response in, and its record.

The response is always closed and the exchange always recorded, and httpx2's errors become ours.
Transport only: request semantics live in ``completions``, timeouts in ``timeouts``, byte counts in
``traffic``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx2

from costeer.cloud.base import Recorder
from costeer.cloud.cancellation import Stop
from costeer.cloud.client.address import api_base, certificates, headers, on_loopback
from costeer.cloud.client.completion_stream import (
    connect_error,
    connection_lost_error,
    read_text,
    read_timeout_error,
)
from costeer.cloud.client.connections import ConnectionPool, PooledConnection
from costeer.cloud.client.padding import pad
from costeer.cloud.client.retry import RetryableError
from costeer.cloud.client.timeouts import ReadTimeouts
from costeer.cloud.client.traffic import Exchange
from costeer.cloud.wire.checksum import BrokenStreamError
from costeer.exceptions import CoSteerError

CONNECT = 10.0  # seconds to make a connection
FIRST_CONTACT = 10.0  # seconds that a server never reached before may take to list its models


class Transport:
    """Connections to a server, kept alive. May be used from several threads.

    Args:
        url: of the server, with or without ``/v1``.
        api_key: sent as ``Authorization: Bearer``.
        record: called once for every exchange.
        timeouts: the read timeout of each request.

    Attributes:
        closed: set by ``close``; ends everything under way.

    Raises:
        UsageError: the URL or the key cannot be used.
    """

    def __init__(
        self, url: str, api_key: str | None, record: Recorder | None, timeouts: ReadTimeouts
    ) -> None:
        self._base = api_base(url)
        self._record = record
        self._timeouts = timeouts
        self._reached = False
        self._preconnecting: threading.Thread | None = None
        self.closed = Stop()
        self._pool = ConnectionPool(
            headers(api_key),
            certificates() if self._base.startswith("https:") else False,
            proxies=not on_loopback(self._base),
        )

    def close(self) -> None:
        """Close the connections, also those in use."""
        self.closed.set()
        if self._preconnecting is not None:
            self._preconnecting.join(1.0)
        self._pool.close()

    @contextmanager
    def get(self, path: str, stop: Stop) -> Iterator[tuple[httpx2.Response, Exchange]]:
        """Run a GET like ``post``; a server never reached before has ``FIRST_CONTACT`` seconds."""
        with self._exchange("GET", path, (), b"", stop, ours=False) as exchange:
            yield exchange

    @contextmanager
    def post(
        self,
        path: str,
        token_ids: tuple[int, ...],
        body: Mapping[str, object],
        stop: Stop,
        written: Sequence[int],
        *,
        ours: bool,
    ) -> Iterator[tuple[httpx2.Response, Exchange]]:
        """Run one exchange, from the request to the end of the ``with`` block.

        Args:
            path: below ``/v1/``.
            token_ids: what the record says went up.
            body: sent as JSON, padded.
            stop: cuts the connection; nothing is sent after. Set where ``closed`` is.
            written: the token ids that are written out in the body.
            ours: whether the server is one of our own: it sends the head of a response with the
                first token, and its compressed streams hold nothing back.

        Raises:
            StoppedError: ``stop`` was set.
            RetryableError: the connection failed, before or while the response was read.
            CloudUnreachableError: TLS failed.
            UsageError: a proxy that the environment names cannot be used.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        content = pad(content, written)
        with self._exchange("POST", path, token_ids, content, stop, ours=ours) as exchange:
            yield exchange

    def preconnect(self) -> None:
        """Open a connection in the background, so that the next request need not wait for it."""

        def ask() -> None:
            with (
                suppress(RetryableError, CoSteerError),
                self.get("models", self.closed) as (response, exchange),
            ):
                read_text(response, exchange)

        self._preconnecting = threading.Thread(target=ask, name="preconnect", daemon=True)
        self._preconnecting.start()

    @contextmanager
    def _exchange(
        self,
        method: str,
        path: str,
        token_ids: tuple[int, ...],
        content: bytes,
        stop: Stop,
        *,
        ours: bool,
    ) -> Iterator[tuple[httpx2.Response, Exchange]]:
        exchange = Exchange(f"{method} /v1/{path}", token_ids, content, self._record)
        stop.check()
        with self._pool.take(stop) as connection:
            try:
                request = connection.client.build_request(
                    method,
                    f"{self._base}/{path}",
                    content=content or None,
                    headers=_headers(content, compress=ours),
                    timeout=self._timeout(token_ids, content),
                )
                request.extensions["trace"] = _trace_callback(connection, exchange, stop)
                response = connection.client.send(request, stream=True)
                self._reached = True
                exchange.begin_response(response)
                if ours:  # the head comes with the first token
                    request.extensions["timeout"]["read"] = self._timeouts.between
                with closing(response):
                    yield response, exchange
            except (httpx2.TransportError, httpx2.DecodingError, BrokenStreamError) as error:
                stop.check()
                raise self._translate_error(error) from None
            finally:
                exchange.finish()

    def _timeout(self, token_ids: tuple[int, ...], content: bytes) -> httpx2.Timeout:
        seconds = self._timeouts.seconds(token_ids)
        if not content and not self._reached:
            seconds = min(seconds, FIRST_CONTACT)
        return httpx2.Timeout(seconds, connect=min(seconds, CONNECT))

    def _translate_error(self, error: Exception) -> Exception:
        """Turn an error of httpx2 into one of ours."""
        if isinstance(error, (httpx2.ConnectError, httpx2.ConnectTimeout)):
            return connect_error(error, self._base, reached=self._reached)
        if isinstance(error, httpx2.ReadTimeout):
            return read_timeout_error(reached=self._reached)
        return connection_lost_error()


def _headers(content: bytes, *, compress: bool) -> dict[str, str]:
    if not content:
        return {}
    # Anything else that compresses, a proxy say, might hold tokens back.
    encoding = {"accept-encoding": "gzip"} if compress else {}
    return {"content-type": "application/json"} | encoding


def _trace_callback(
    connection: PooledConnection, exchange: Exchange, stop: Stop
) -> Callable[[str, dict[str, Any]], None]:
    """Return what httpcore2 calls with every event on a connection."""

    def trace(event: str, info: dict[str, Any]) -> None:
        connection.trace(event, info)
        if event == "http11.send_request_headers.started":
            stop.check()  # it may have been set while the connection was made, without a socket
        exchange.trace(event, info)

    return trace
