"""A completion stream while it arrives: events, JSON, choices, and errors for broken ones.

Knows the shape of a ``text_completion`` stream; what is in ``logprobs`` is for ``dialects``.
Shape: https://platform.openai.com/docs/api-reference/completions/object.
"""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx2

from costeer.cloud.client.http_errors import REFUSALS
from costeer.cloud.client.retry import RetryableError
from costeer.cloud.client.sse import EventParser
from costeer.cloud.client.traffic import Exchange
from costeer.cloud.wire.checksum import BrokenStreamError, StreamChecksum
from costeer.exceptions import CloudProtocolError, CloudRefusedError, CloudUnreachableError

LONGEST_TEXT = 4 << 20
"""The most bytes read of a response that is not a stream."""


class LateRefusalError(Exception):
    """A refusal in place of the first chunk: vLLM validates some fields after sending its status.

    Attributes:
        status: the HTTP status that the refusal stands for.
        text: the event's data.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__()
        self.status = status
        self.text = text


class HiddenTokenError(Exception):
    """The server generated a token and did not show it (see ``dialects``)."""


def unreachable_error(base: str, *, reached: bool) -> RetryableError:
    """No connection could be made; a server ``reached`` before may come back soon."""
    return RetryableError(
        CloudUnreachableError(
            f"No server answers at {base}.", "Start one with `costeer serve`, or check the URL."
        ),
        permanent=not reached,
    )


def connect_error(error: httpx2.TransportError, base: str, *, reached: bool) -> Exception:
    """No connection: nothing listens there, or TLS failed."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return unreachable_error(base, reached=reached)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CloudUnreachableError(
            f"The certificate of {base} is not trusted ({cause.verify_message}).",
            "Check the host name; SSL_CERT_FILE names a file of certificates to trust.",
        )
    return CloudUnreachableError(
        f"No TLS connection to {base} could be made.",
        "If the server speaks plain HTTP, write http:// in place of https://.",
    )


def connection_lost_error() -> RetryableError:
    """The connection ended before the answer did."""
    return RetryableError(
        CloudUnreachableError(
            "The connection to the cloud server broke.",
            "Check the server and the network, then try again.",
        )
    )


def read_timeout_error(*, reached: bool) -> RetryableError:
    """The connection is open, but no byte arrived in time."""
    return RetryableError(
        CloudUnreachableError(
            "The cloud server stopped answering.",
            "It may be overloaded, or the network lost the connection; try again.",
        ),
        permanent=not reached,
    )


def bad_response_error(message: str) -> RetryableError:
    """A response that no completions server gives; it may come from a proxy on the way."""
    return RetryableError(CloudProtocolError(message, "Check the URL."), permanent=True)


def read_text(response: httpx2.Response, exchange: Exchange) -> str:
    """Return the body of a response that is not a stream, cut at ``LONGEST_TEXT``."""
    body = bytearray()
    for piece in response.iter_bytes():
        exchange.piece(len(piece))
        body += piece
        if len(body) > LONGEST_TEXT:
            break
    return body.decode("utf-8", "replace")


class CompletionStream:
    """A streamed completion.

    Args:
        response: with status 200.
        exchange: counts every piece.

    Raises:
        RetryableError: the response is not an event stream.
    """

    def __init__(self, response: httpx2.Response, exchange: Exchange) -> None:
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            raise bad_response_error("The server does not stream its answer.")
        self._pieces = response.iter_bytes()
        self._exchange = exchange
        self._begun = False  # whether a chunk has arrived
        self.id = ""  # from the first chunk on

    def choices(self, checksum: StreamChecksum | None = None) -> Iterator[dict[str, Any]]:
        """Yield the first choice of every chunk of a complete answer; ignore errors after its end.

        Where a chunk says how many tokens were generated so far (``timings``, llama-server's), the
        choice carries that number as ``generated``.

        Args:
            checksum: verifies each choice, where the server sends checksums.

        Raises:
            LateRefusalError: the server refuses the request after all.
            RetryableError: not a stream of completions, it ended before the answer did, or the
                server reports an error of its own.
            BrokenStreamError: an event is not JSON, or does not match its checksum.
        """
        finished = False
        try:
            for data in self._events():
                for choice in self._parse(data)["choices"][:1]:  # a usage chunk has none
                    if checksum is not None:
                        checksum.check(choice)
                    finished = finished or choice.get("finish_reason") is not None
                    yield choice
        except (RetryableError, httpx2.TransportError, httpx2.DecodingError, BrokenStreamError):
            if not finished:
                raise
        if not finished:
            raise connection_lost_error()

    def _events(self) -> Iterator[str]:
        """Yield the data of each event, up to ``[DONE]`` or the end of the stream."""
        parser = EventParser()
        for piece in self._pieces:
            self._exchange.piece(len(piece))
            for data in parser.feed(piece):
                if data == "[DONE]":
                    self.drain()
                    return
                yield data

    def _parse(self, data: str) -> dict[str, Any]:
        try:
            chunk = _chunk(data)
        except LateRefusalError:
            self.drain()
            if self._begun:
                raise _server_failed_error() from None
            raise
        self._begun = True
        self.id = self.id or str(chunk.get("id", ""))
        return chunk

    def drain(self, seconds: float = 2.0) -> None:
        """Read the rest for at most ``seconds``, so that the connection can be reused."""
        end = time.monotonic() + seconds
        with suppress(httpx2.TransportError, httpx2.DecodingError):
            for piece in self._pieces:
                self._exchange.piece(len(piece))
                if time.monotonic() > end:
                    return


def _server_failed_error() -> RetryableError:
    error = CloudRefusedError(
        "The cloud server failed in the middle of an answer.", "Its own log says more.", status=500
    )
    return RetryableError(error, permanent=True)


def _chunk(data: str) -> dict[str, Any]:
    """Parse one event into a chunk with a list of choices."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenStreamError("not JSON") from None
    if not isinstance(chunk, dict):
        raise bad_response_error("The server's answer is not a completion.")
    error = chunk.get("error")
    if error is not None or chunk.get("object") == "error":
        code = error.get("code") if isinstance(error, dict) else None
        if code in REFUSALS:
            raise LateRefusalError(code, data)
        raise _server_failed_error()
    choices = chunk.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise bad_response_error("The server's answer is not a completion.")
    timings = chunk.get("timings")
    if choices and isinstance(timings, dict):
        choices[0]["generated"] = timings.get("predicted_n")
    return chunk
