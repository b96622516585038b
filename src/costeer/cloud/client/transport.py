"""One HTTP exchange at a time with one server: a request out, the response in, and its record.

Whatever happens, the response is closed and the exchange recorded, and httpx's errors become ours.
Knows nothing of what is asked and answered; how long silence is borne is in ``timeouts``, bytes are
counted in ``traffic``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx

from costeer.cloud.base import Recorder
from costeer.cloud.client.address import api_base, certificates, headers, on_loopback
from costeer.cloud.client.completion_stream import broken, connecting, read_text, silent
from costeer.cloud.client.connections import Line, Lines
from costeer.cloud.client.retry import AgainError
from costeer.cloud.client.timeouts import Waiting
from costeer.cloud.client.traffic import Exchange
from costeer.cloud.stop import Stop
from costeer.cloud.wire.checksum import BrokenStreamError
from costeer.exceptions import CoSteerError

CONNECT = 10.0  # seconds to make a connection
FIRST_CONTACT = 10.0  # seconds that a server never met may take to say what models it has


class Channel:
    """Connections to a server, kept alive. May be used from several threads.

    Args:
        url: of the server, with or without ``/v1``.
        api_key: sent as ``Authorization: Bearer``.
        record: called once for every exchange.
        waiting: how long silence is borne.

    Attributes:
        ours: whether the server is known to be one of our own: it sends the head of an answer
            with the first token, and its compressed streams hold nothing back.
        closed: set by ``close``; ends everything under way.

    Raises:
        UsageError: the URL or the key cannot be used.
    """

    def __init__(
        self, url: str, api_key: str | None, record: Recorder | None, waiting: Waiting
    ) -> None:
        self._base = api_base(url)
        self._record = record
        self._waiting = waiting
        self._met = False
        self._warming: threading.Thread | None = None
        self.ours = False
        self.closed = Stop()
        self._lines = Lines(
            headers(api_key),
            certificates() if self._base.startswith("https:") else False,
            proxies=not on_loopback(self._base),
        )

    def close(self) -> None:
        """Close the connections, also those in use."""
        self.closed.set()
        if self._warming is not None:
            self._warming.join(1.0)
        self._lines.close()

    @contextmanager
    def get(self, path: str, stop: Stop) -> Iterator[tuple[httpx.Response, Exchange]]:
        """See ``post``; a server that is met for the first time is not waited for as long."""
        with self._exchange("GET", path, (), b"", stop) as opened:
            yield opened

    @contextmanager
    def post(
        self, path: str, token_ids: tuple[int, ...], body: Mapping[str, object], stop: Stop
    ) -> Iterator[tuple[httpx.Response, Exchange]]:
        """One exchange, from the request to the end of the ``with`` block.

        Args:
            path: below ``/v1/``.
            token_ids: what the record says went up.
            body: sent as JSON.
            stop: cuts the connection; nothing is sent after. Set where ``closed`` is.

        Raises:
            StoppedError: ``stop`` was set.
            AgainError: the connection failed, before or while the response was read.
            CloudUnreachableError: TLS does not come about.
            UsageError: a proxy that the environment names cannot be used.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        with self._exchange("POST", path, token_ids, content, stop) as opened:
            yield opened

    def warm(self) -> None:
        """Have a connection ready, from a thread: the next request saves the time to make one."""

        def ask() -> None:
            with (
                suppress(AgainError, CoSteerError),
                self.get("models", self.closed) as (response, exchange),
            ):
                read_text(response, exchange)

        self._warming = threading.Thread(target=ask, daemon=True)
        self._warming.start()

    @contextmanager
    def _exchange(
        self, method: str, path: str, token_ids: tuple[int, ...], content: bytes, stop: Stop
    ) -> Iterator[tuple[httpx.Response, Exchange]]:
        exchange = Exchange(f"{method} /v1/{path}", token_ids, content, self._record)
        stop.check()
        with self._lines.taken(stop) as line:
            try:
                request = self._request(line, method, path, token_ids, content)
                request.extensions["trace"] = _tracing(line, exchange, stop)
                response = line.client.send(request, stream=True)
                self._met = True
                exchange.opened(response)
                if self.ours:  # the head comes with the first token
                    request.extensions["timeout"]["read"] = self._waiting.between
                with closing(response):
                    yield response, exchange
            except (httpx.TransportError, httpx.DecodingError, BrokenStreamError) as error:
                stop.check()
                raise self._told(error) from None
            finally:
                exchange.finish()

    def _request(
        self, line: Line, method: str, path: str, token_ids: tuple[int, ...], content: bytes
    ) -> httpx.Request:
        seconds = self._waiting.seconds(token_ids)
        if not content and not self._met:
            seconds = min(seconds, FIRST_CONTACT)
        return line.client.build_request(
            method,
            f"{self._base}/{path}",
            content=content or None,
            headers=self._headers(content),
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT)),
        )

    def _told(self, error: Exception) -> Exception:
        """What to make of an error of httpx."""
        if isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout)):
            return connecting(error, self._base, met=self._met)
        return silent(met=self._met) if isinstance(error, httpx.ReadTimeout) else broken()

    def _headers(self, content: bytes) -> dict[str, str]:
        if not content:
            return {}
        # Anything else that compresses, a proxy say, might hold tokens back.
        encoding = {"accept-encoding": "gzip"} if self.ours else {}
        return {"content-type": "application/json"} | encoding


def _tracing(line: Line, exchange: Exchange, stop: Stop) -> Callable[[str, dict[str, Any]], None]:
    """For httpcore: what happens on a connection, as it happens."""

    def trace(event: str, info: dict[str, Any]) -> None:
        line.trace(event, info)
        if event == "http11.send_request_headers.started":
            stop.check()  # it may have come while the connection was made, when there was no socket
        exchange.trace(event, info)

    return trace
