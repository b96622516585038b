"""Reading an answer while it arrives: events, JSON, choices; and what a broken one means.

Knows the shape of a ``text_completion`` stream; what is in ``logprobs`` is for ``dialects``.
Shape: https://platform.openai.com/docs/api-reference/completions/object.
"""

from __future__ import annotations

import json
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


def read_choices(response: httpx.Response, exchange: Exchange) -> Iterator[dict[str, Any]]:
    """The first choice of every chunk, up to ``[DONE]`` or the end of the stream.

    Where the chunk says how many tokens were generated so far (``timings``, llama-server's), the
    choice gets that as ``generated``.

    Raises:
        CloudProtocolError: not a stream of completions.
        AgainError: the server reports an error of its own.
        BrokenStreamError: garbage.
    """
    kind = response.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        raise CloudProtocolError("The server does not stream its answer.", "Check the URL.")
    parser = EventParser()
    pieces = response.iter_bytes()
    for piece in pieces:
        exchange.piece(len(piece))
        for data in parser.feed(piece):
            if data == "[DONE]":
                with suppress(httpx.TransportError):  # read out, so that the connection is kept
                    for rest in pieces:
                        exchange.piece(len(rest))
                return
            choice = _choice(data)
            if choice is not None:
                yield choice


def _choice(data: str) -> dict[str, Any] | None:
    """The choice in one event; None if it has none (a usage chunk)."""
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
    if not choices:
        return None
    choice: dict[str, Any] = choices[0]
    timings = chunk.get("timings")
    if isinstance(timings, dict):
        choice["generated"] = timings.get("predicted_n")
    return choice
