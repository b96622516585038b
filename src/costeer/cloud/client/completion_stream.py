"""Reading an answer while it arrives: events, JSON, choices; and what a broken one means.

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

import httpx

from costeer.cloud.client.http_errors import REFUSALS
from costeer.cloud.client.retry import AgainError
from costeer.cloud.client.sse import EventParser
from costeer.cloud.client.traffic import Exchange
from costeer.cloud.wire.checksum import BrokenStreamError, StreamChecksum
from costeer.exceptions import CloudProtocolError, CloudRefusedError, CloudUnreachableError

LONGEST_TEXT = 4 << 20
"""Bytes read of an answer that is not a stream."""


class LateRefusalError(Exception):
    """A refusal in place of the first chunk: vLLM checks some fields after its status is sent.

    Attributes:
        status: that the refusal would have had.
        text: of the event.
    """

    def __init__(self, status: int, text: str) -> None:
        super().__init__()
        self.status = status
        self.text = text


class HiddenTokenError(Exception):
    """The server generated a token and did not show it (see ``dialects``)."""


def nobody(base: str, *, met: bool) -> AgainError:
    """No connection could be made; a server that was ``met`` before may be about to return."""
    return AgainError(
        CloudUnreachableError(
            f"No server answers at {base}.", "Start one with `costeer serve`, or check the URL."
        ),
        lasting=not met,
    )


def connecting(error: httpx.TransportError, base: str, *, met: bool) -> Exception:
    """No connection: nobody there, or one whose TLS cannot be used."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, ssl.SSLError):
        cause = cause.__cause__ or cause.__context__
    if cause is None:
        return nobody(base, met=met)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return CloudUnreachableError(
            f"The certificate of {base} is not trusted ({cause.verify_message}).",
            "Check the host name; SSL_CERT_FILE names a file of certificates to trust.",
        )
    return CloudUnreachableError(
        f"No TLS connection to {base} could be made.",
        "If the server speaks plain HTTP, write http:// in place of https://.",
    )


def broken() -> AgainError:
    """The connection ended before the answer did."""
    return AgainError(
        CloudUnreachableError(
            "The connection to the cloud server broke.",
            "Check the server and the network, then try again.",
        )
    )


def silent(*, met: bool) -> AgainError:
    """The connection stands, but nothing comes."""
    return AgainError(
        CloudUnreachableError(
            "The cloud server stopped answering.",
            "It may be overloaded, or the network lost the connection; try again.",
        ),
        lasting=not met,
    )


def unusable(message: str) -> AgainError:
    """An answer that no completions server gives; a proxy on the way may have said it."""
    return AgainError(CloudProtocolError(message, "Check the URL."), lasting=True)


def read_text(response: httpx.Response, exchange: Exchange) -> str:
    """The body of an answer that is not a stream, up to a size that none should exceed."""
    body = bytearray()
    for piece in response.iter_bytes():
        exchange.piece(len(piece))
        body += piece
        if len(body) > LONGEST_TEXT:
            break
    return body.decode("utf-8", "replace")


class Answer:
    """A streamed answer while it arrives.

    Args:
        response: with the status 200.
        exchange: is told of every piece.

    Raises:
        AgainError: it is not a stream.
    """

    def __init__(self, response: httpx.Response, exchange: Exchange) -> None:
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            raise unusable("The server does not stream its answer.")
        self._pieces = response.iter_bytes()
        self._exchange = exchange
        self.id = ""  # from the first chunk on

    def choices(self) -> Iterator[dict[str, Any]]:
        """The first choice of every chunk, up to ``[DONE]`` or the end of the stream.

        Where the chunk says how many tokens were generated so far (``timings``, llama-server's),
        the choice gets that as ``generated``.

        Raises:
            LateRefusalError: the server refuses the request after all.
            AgainError: not a stream of completions, or the server reports an error of its own.
            BrokenStreamError: garbage.
        """
        parser, begun = EventParser(), False
        for piece in self._pieces:
            self._exchange.piece(len(piece))
            for data in parser.feed(piece):
                if data == "[DONE]":
                    self.drain()
                    return
                try:
                    chunk = _chunk(data)
                except LateRefusalError:
                    self.drain()
                    if begun:
                        raise _failed() from None
                    raise
                begun = True
                self.id = self.id or str(chunk.get("id", ""))
                if chunk["choices"]:  # a usage chunk has none
                    yield chunk["choices"][0]

    def drain(self, seconds: float = 2.0) -> None:
        """Read what is left, so that the connection can be used again; not for too long."""
        end = time.monotonic() + seconds
        with suppress(httpx.TransportError, httpx.DecodingError):
            for piece in self._pieces:
                self._exchange.piece(len(piece))
                if time.monotonic() > end:
                    return


def until_finished(
    choices: Iterator[dict[str, Any]], seal: StreamChecksum | None = None
) -> Iterator[dict[str, Any]]:
    """The choices of a whole answer; what goes wrong after its end no longer matters.

    Args:
        choices: of one stream.
        seal: checks each, where the server sends seals.

    Raises:
        AgainError: the stream ended before the answer did.
        BrokenStreamError: a choice is not what the server sent.
    """
    finished = False
    try:
        for choice in choices:
            if seal is not None:
                seal.check(choice)
            finished = finished or choice.get("finish_reason") is not None
            yield choice
    except (AgainError, httpx.TransportError, httpx.DecodingError, BrokenStreamError):
        if not finished:
            raise
    if not finished:
        raise broken()


def _failed() -> AgainError:
    error = CloudRefusedError(
        "The cloud server failed in the middle of an answer.", "Its own log says more.", status=500
    )
    return AgainError(error, lasting=True)


def _chunk(data: str) -> dict[str, Any]:
    """One event's chunk, with a list of choices."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenStreamError("not JSON") from None
    if not isinstance(chunk, dict):
        raise unusable("The server's answer is no completion.")
    error = chunk.get("error")
    if error is not None or chunk.get("object") == "error":
        code = error.get("code") if isinstance(error, dict) else None
        if code in REFUSALS:
            raise LateRefusalError(code, data)
        raise _failed()
    choices = chunk.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise unusable("The server's answer is no completion.")
    timings = chunk.get("timings")
    if choices and isinstance(timings, dict):
        choices[0]["generated"] = timings.get("predicted_n")
    return chunk
