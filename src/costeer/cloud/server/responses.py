"""Responses that a request may continue, so that a device need not send the whole prefix again.

Our extension of the completions API: ``"continue": {"id": ID, "keep": n}`` stands for the first n
token ids of response ID, its prompt and its answer together; the ids in ``prompt``, if any, follow
them. Fields that the request leaves out are those of the response. ``"replace": true`` says that
the answer took another turn: the response is ended if it is still being written. An unknown ID is
404 with the code "unknown_response": send the whole prefix instead.

An ID is a random number of 64 bits and known to nobody but the client that was given it. Knows
token ids and options; kept in memory, the oldest forgotten first.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from costeer.cloud.server.requests import Continuation, options
from costeer.serving.errors import ApiError


@dataclass(slots=True)
class Response:
    """What is known of one response."""

    ids: array[int]  # the prompt, then the answer as it grows
    options: Mapping[str, Any]  # fields of the body that a continuing request takes over
    end: Callable[[], None] | None = None  # ends it; None once it is over


class Responses:
    """The latest responses by ID.

    Args:
        limit: how many are remembered; each takes 4 bytes a token, and its stop texts.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._known: OrderedDict[str, Response] = OrderedDict()

    @contextmanager
    def open(
        self, name: str, body: Mapping[str, Any], prompt: Iterable[int], end: Callable[[], None]
    ) -> Iterator[array[int]]:
        """Remember a response while it is written, and after.

        Args:
            name: its ID.
            body: of the request, checked.
            prompt: its ids.
            end: ends it early; called at most once.

        Yields:
            The ids so far, the prompt's first: append the answer's as they come.
        """
        response = Response(array("i", prompt), options(body), end)
        self._known[name] = response
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        try:
            yield response.ids
        finally:
            response.end = None

    def whole(self, body: dict[str, Any], continued: Continuation) -> dict[str, Any]:
        """The body of the plain request that a continuing one stands for.

        Raises:
            ApiError: the response is unknown, or shorter than that.
        """
        response = self._known.get(continued.id)
        if response is None:
            message = "The response to continue is not known here; send the whole prompt."
            raise ApiError(404, message, code="unknown_response", param="continue")
        if continued.keep > len(response.ids):
            raise ApiError(400, "continue.keep is more than the response has.", param="continue")
        added = body.get("prompt") or []
        if not isinstance(added, list):
            raise ApiError(400, "prompt must be token ids where it continues.", param="prompt")
        if continued.replace and response.end is not None:
            response.end()
        prompt = [*response.ids[: continued.keep], *added]
        return {**response.options, **body, "prompt": prompt}

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
