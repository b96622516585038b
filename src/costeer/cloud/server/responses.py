"""ResponseStore that a request may continue, so that a device need not send the whole prefix again.

Our extension of the completions API: ``"continue": {"id": ID, "keep": n}`` stands for the first n
token ids of response ID, its prompt and its answer together; the ids in ``prompt``, if any, follow
them. Omitted fields are those of the response. ``"replace": true`` says that the answer goes on
differently: the response is ended if it is still being written. An unknown ID gives 404 with the
code "unknown_response"; the client then sends the whole prefix.

An ID is a random number of 64 bits, known only to the client that received it. Knows token ids and
options; kept in memory, the oldest are dropped first.
"""

from __future__ import annotations

from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from costeer.cloud.server.requests import Continuation, inherited_options
from costeer.serving.errors import ApiError


@dataclass(slots=True)
class StoredResponse:
    """One response."""

    ids: array[int]  # the prompt, then the answer as it is written
    options: Mapping[str, Any]  # fields that a continuing request inherits
    end: Callable[[], None] | None = None  # ends it; None once it is over


class ResponseStore:
    """The latest responses by ID.

    Args:
        limit: how many are kept; each takes 4 bytes per token, and its stop texts.
    """

    def __init__(self, limit: int = 256) -> None:
        self._limit = limit
        self._known: OrderedDict[str, StoredResponse] = OrderedDict()

    @contextmanager
    def open(
        self, name: str, body: Mapping[str, Any], prompt: Iterable[int], end: Callable[[], None]
    ) -> Iterator[array[int]]:
        """Remember a response while it is written, and afterwards.

        Args:
            name: its ID.
            body: of the request, checked.
            prompt: its ids.
            end: ends it early; called at most once.

        Yields:
            The ids, at first those of the prompt; the caller appends those of the answer.
        """
        response = StoredResponse(array("i", prompt), inherited_options(body), end)
        self._known[name] = response
        while len(self._known) > self._limit:
            self._known.popitem(last=False)
        try:
            yield response.ids
        finally:
            response.end = None

    def expand(self, body: dict[str, Any], continued: Continuation) -> dict[str, Any]:
        """Expand a continuing request into the body of a plain one.

        Raises:
            ApiError: the response is unknown, or shorter than ``keep``.
        """
        response = self._known.get(continued.id)
        if response is None:
            message = "This response is unknown here; send the whole prompt."
            raise ApiError(404, message, code="unknown_response", param="continue")
        if continued.keep > len(response.ids):
            raise ApiError(400, "continue.keep is longer than the response.", param="continue")
        added = body.get("prompt") or []
        if not isinstance(added, list):
            raise ApiError(
                400, "prompt must be token ids in a request that continues.", param="prompt"
            )
        if continued.replace and response.end is not None:
            response.end()
        prompt = [*response.ids[: continued.keep], *added]
        return {**response.options, **body, "prompt": prompt}

    def clear(self) -> None:
        """Forget all responses."""
        self._known.clear()
