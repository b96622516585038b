"""One HTTP exchange at a time with one server: a request out, the response in, and its record.

Whatever happens, the response is closed and the exchange recorded, and httpx's errors become ours.
Knows nothing of what is asked and answered; how long silence is borne is in ``waiting``, bytes are
counted in ``traffic``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress

import httpx

from costeer.cloud.address import api_base, headers
from costeer.cloud.answers import broken, nobody, read_text, silent
from costeer.cloud.base import Recorder
from costeer.cloud.retrying import AgainError
from costeer.cloud.sse import BrokenStreamError
from costeer.cloud.traffic import Exchange
from costeer.cloud.waiting import Waiting

CONNECT = 10.0  # seconds to make a connection


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
        self._http = httpx.Client(
            headers=headers(api_key),
            verify=self._base.startswith("https:"),  # otherwise the certificates cost 20 ms
        )

    def close(self) -> None:
        """Close the connections."""
        if self._warming is not None:  # or its connection would be left open
            self._warming.join(1.0)
        self._http.close()

    @contextmanager
    def get(self, path: str) -> Iterator[tuple[httpx.Response, Exchange]]:
        """See ``post``."""
        with self._exchange("GET", path, (), b"") as opened:
            yield opened

    @contextmanager
    def post(
        self, path: str, token_ids: tuple[int, ...], body: Mapping[str, object]
    ) -> Iterator[tuple[httpx.Response, Exchange]]:
        """One exchange, from the request to the end of the ``with`` block.

        Args:
            path: below ``/v1/``.
            token_ids: what the record says went up.
            body: sent as JSON.

        Raises:
            AgainError: the connection failed, before or while the response was read.
        """
        content = json.dumps(body, separators=(",", ":")).encode()
        with self._exchange("POST", path, token_ids, content) as opened:
            yield opened

    def warm(self) -> None:
        """Have a connection ready, from a thread: the next request saves the time to make one."""

        def ask() -> None:
            with suppress(AgainError, RuntimeError), self.get("models") as (response, exchange):
                read_text(response, exchange)  # RuntimeError: closed meanwhile

        self._warming = threading.Thread(target=ask, daemon=True)
        self._warming.start()

    @contextmanager
    def _exchange(
        self, method: str, path: str, token_ids: tuple[int, ...], content: bytes
    ) -> Iterator[tuple[httpx.Response, Exchange]]:
        exchange = Exchange(f"{method} /v1/{path}", token_ids, content, self._record)
        seconds = self._waiting.seconds(token_ids)
        request = self._http.build_request(
            method,
            f"{self._base}/{path}",
            content=content or None,
            headers=self._headers(content),
            timeout=httpx.Timeout(seconds, connect=min(seconds, CONNECT)),
            extensions={"trace": exchange.trace},
        )
        try:
            response = self._http.send(request, stream=True)
            self._met = True
            exchange.opened(response)
            if self.ours:  # the head comes with the first token
                request.extensions["timeout"]["read"] = self._waiting.between
            with closing(response):
                yield response, exchange
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise nobody(self._base, met=self._met) from None
        except httpx.ReadTimeout:
            raise silent() from None
        except (httpx.TransportError, httpx.DecodingError, BrokenStreamError):
            raise broken() from None
        finally:
            exchange.finish()

    def _headers(self, content: bytes) -> dict[str, str]:
        if not content:
            return {}
        # Anything else that compresses, a proxy say, might hold tokens back.
        encoding = {"accept-encoding": "gzip"} if self.ours else {}
        return {"content-type": "application/json"} | encoding
