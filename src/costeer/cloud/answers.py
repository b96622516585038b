"""Reading an answer while it arrives: events, JSON, choices; and what a broken one means.

Knows the shape of a ``text_completion`` stream; what is in ``logprobs`` is for ``dialects``.
Shape: https://platform.openai.com/docs/api-reference/completions/object.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx

from costeer.cloud.sse import BrokenStreamError, EventParser
from costeer.cloud.traffic import Exchange
from costeer.exceptions import (
    CloudError,
    CloudProtocolError,
    CloudRefusedError,
    CloudUnreachableError,
)

LONGEST_TEXT = 4 << 20
"""Bytes read of an answer that is not a stream."""


class HiddenTokenError(Exception):
    """The server generated a token and did not show it (see ``dialects``)."""


class AgainError(Exception):
    """Worth another try; ``final`` is what to raise when there is none left."""

    def __init__(self, final: CloudError, pause: float = 0.0) -> None:
        super().__init__()
        self.final = final
        self.pause = pause


def nobody(base: str) -> AgainError:
    """No connection could be made."""
    return AgainError(
        CloudUnreachableError(
            f"No server answers at {base}.", "Start one with `costeer serve`, or check the URL."
        )
    )


def broken() -> AgainError:
    """The connection ended before the answer did."""
    return AgainError(
        CloudUnreachableError(
            "The connection to the cloud server broke.",
            "Check the server and the network, then try again.",
        )
    )


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
        CloudProtocolError: it is not a stream.
    """

    def __init__(self, response: httpx.Response, exchange: Exchange) -> None:
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            raise CloudProtocolError("The server does not stream its answer.", "Check the URL.")
        self._pieces = response.iter_bytes()
        self._exchange = exchange
        self.id = ""  # from the first chunk on

    def choices(self) -> Iterator[dict[str, Any]]:
        """The first choice of every chunk, up to ``[DONE]`` or the end of the stream.

        Where the chunk says how many tokens were generated so far (``timings``, llama-server's),
        the choice gets that as ``generated``.

        Raises:
            CloudProtocolError: not a stream of completions.
            AgainError: the server reports an error of its own.
            BrokenStreamError: garbage.
        """
        parser = EventParser()
        for piece in self._pieces:
            self._exchange.piece(len(piece))
            for data in parser.feed(piece):
                if data == "[DONE]":
                    self.drain()
                    return
                chunk = _chunk(data)
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


def _chunk(data: str) -> dict[str, Any]:
    """One event's chunk, with a list of choices."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenStreamError("not JSON") from None
    if not isinstance(chunk, dict):
        raise CloudProtocolError("The server's answer is no completion.", "Check the URL.")
    if chunk.get("error") is not None or chunk.get("object") == "error":
        error = CloudRefusedError(
            "The cloud server failed in the middle of an answer.",
            "Its own log says more.",
            status=500,
        )
        raise AgainError(error)
    choices = chunk.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise CloudProtocolError("The server's answer is no completion.", "Check the URL.")
    timings = chunk.get("timings")
    if choices and isinstance(timings, dict):
        choices[0]["generated"] = timings.get("predicted_n")
    return chunk
