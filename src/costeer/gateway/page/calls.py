"""One call of the page: who may make it, what it holds, and in which thread it is worked on.

Databases are asked in threads, because another process may hold them for seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from costeer.gateway import values
from costeer.gateway.access import require_owner
from costeer.gateway.page.errors import page_error
from costeer.serving.body import error_response, json_response, read_json
from costeer.serving.errors import ApiError

LARGEST_BODY = 4 << 20
LARGEST_ID = 2**53
"""JavaScript's largest whole number."""

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was let in."""

    path: Mapping[str, Any]
    query: Mapping[str, str]
    body: Mapping[str, Any] = field(repr=False)

    @property
    def id(self) -> int:
        """The number in the path; errors as for ``path_number``."""
        return path_number(self.path)


Work = Callable[[Call], Json]


def route(method: str, path: str, work: Work) -> Route:
    """A route for the owner, whose work is done in a thread."""

    async def answer(request: Request) -> Response:
        try:
            require_owner(request.scope)
            call = await _call(request)
            return await anyio.to_thread.run_sync(lambda: json_response(work(call)))
        except Exception as error:  # noqa: BLE001 - whose text may quote the person
            return error_response(page_error(error))

    return Route(path, answer, methods=[method])


async def _call(request: Request) -> Call:
    body: Mapping[str, Any] = {}
    if request.method in ("POST", "PATCH"):
        body = values.json_object(await read_json(request.scope, request.receive, LARGEST_BODY))
    return Call(request.path_params, request.query_params, body)


def path_number(path: Mapping[str, Any]) -> int:
    """The number in a path.

    Raises:
        ApiError: 404, it is larger than any.
    """
    number = int(path["id"])
    if number > LARGEST_ID:
        raise ApiError(404, "There is none of this number.", code="not_found")
    return number
