"""Bytes of one HTTP exchange, counted where httpx2 hands them to the network, and their record.

Up: the request line, the headers and the body, counted in full as soon as sending begins, so a
failed write counts too much rather than too little. Down: status line and headers as received, the
body before decompression, and its chunk framing, as if every piece read were one chunk. Not
counted: TLS, TCP/IP, handshakes of proxies.
Source of the events: https://www.encode.io/httpcore/extensions/ ("trace").
"""

from __future__ import annotations

import time
from typing import Any

import httpx2

from costeer.cloud.base import Recorder, TrafficRecord


class Exchange:
    """One request and its response; ``finish`` reports it, once.

    Args:
        what: a description for people, for instance "POST /v1/completions".
        token_ids: what the record lists as sent.
        body: the bytes to send.
        record: called by ``finish``.
    """

    def __init__(
        self, what: str, token_ids: tuple[int, ...], body: bytes, record: Recorder | None
    ) -> None:
        self._what = what
        self._token_ids = token_ids
        self._body = body
        self._record = record
        self._when = time.time()
        self._head_up = 0
        self._body_up = 0
        self._head_down = 0
        self._framing = 0
        self._response: httpx2.Response | None = None

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Count bytes; the ``trace`` extension of httpcore2."""
        if event == "http11.send_request_headers.started":
            request = info["request"]
            line = len(request.method) + 1 + len(request.url.target) + len(b" HTTP/1.1\r\n")
            self._head_up = line + _fields(request.headers)
        elif event == "http11.send_request_body.started":
            self._body_up = len(self._body)
        elif event == "http11.receive_response_headers.complete":
            version, _, reason, headers = info["return_value"]
            self._head_down = len(version) + len(b" 200 ") + len(reason) + 2 + _fields(headers)

    def begin_response(self, response: httpx2.Response) -> None:
        """Remember the response, whose head has arrived."""
        self._response = response

    def piece(self, size: int) -> None:
        """Count one more piece of the body."""
        if self._response is not None and "transfer-encoding" in self._response.headers:
            self._framing += len(f"{size:x}") + 4  # size CRLF data CRLF

    def finish(self) -> None:
        """Record the exchange."""
        record, self._record = self._record, None
        if record is None:
            return
        body = self._response.num_bytes_downloaded if self._response is not None else 0
        record(
            TrafficRecord(
                when=self._when,
                what=self._what,
                token_ids=self._token_ids if self._body_up else (),
                bytes_up=self._head_up + self._body_up,
                bytes_down=self._head_down + body + self._framing,
                body=self._body if self._body_up else b"",
            )
        )


def _fields(headers: list[tuple[bytes, bytes]]) -> int:
    """Count the bytes of header lines ("name: value CRLF") and of the empty line after them."""
    return sum(len(name) + len(value) + 4 for name, value in headers) + 2
