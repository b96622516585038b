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

from costeer.cloud.retrying import AgainError
from costeer.cloud.seal import Seal
from costeer.cloud.sse import BrokenStreamError, EventParser
from costeer.cloud.traffic import Exchange
from costeer.exceptions import CloudProtocolError, CloudRefusedError, CloudUnreachableError

LONGEST_TEXT = 4 << 20
"""Bytes read of an answer that is not a stream."""


def nobody(base: str, *, met: bool) -> AgainError:
    """No connection could be made; a server that was ``met`` before may be about to return."""
    return AgainError(
        CloudUnreachableError(
            f"No server answers at {base}.", "Start one with `costeer serve`, or check the URL."
        ),
        lasting=not met,
    )


def broken() -> AgainError:
    """The connection ended before the answer did."""
    return AgainError(
        CloudUnreachableError(
            "The connection to the cloud server broke.",
            "Check the server and the network, then try again.",
        )
    )


def silent() -> AgainError:
    """The connection stands, but nothing comes."""
    return AgainError(
        CloudUnreachableError(
            "The cloud server stopped answering.",
            "It may be overloaded, or the network lost the connection; try again.",
        )
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


def read_choices(response: httpx.Response, exchange: Exchange) -> Iterator[dict[str, Any]]:
    """The first choice of every chunk, up to ``[DONE]`` or the end of the stream.

    Raises:
        AgainError: not a stream of completions, or the server reports an error of its own.
        BrokenStreamError: garbage.
    """
    kind = response.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        raise unusable("The server does not stream its answer.")
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


def until_finished(
    choices: Iterator[dict[str, Any]], seal: Seal | None = None
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


def _choice(data: str) -> dict[str, Any] | None:
    """The choice in one event; None if it has none (a usage chunk)."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenStreamError("not JSON") from None
    if not isinstance(chunk, dict):
        raise unusable("The server's answer is no completion.")
    if chunk.get("error") is not None or chunk.get("object") == "error":
        error = CloudRefusedError(
            "The cloud server failed in the middle of an answer.",
            "Its own log says more.",
            status=500,
        )
        raise AgainError(error, lasting=True)
    choices = chunk.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise unusable("The server's answer is no completion.")
    return choices[0] if choices else None
