"""Read and write JSON bodies.

The body of a request has to be ``application/json``, so a web page would need CORS, which is never
granted.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

from costeer.serving.errors import ApiError, Describe


async def read_json(scope: Scope, receive: Receive, limit: int) -> Any:
    """Read and decode the request body.

    Raises:
        ApiError: 413 beyond ``limit`` bytes, 415 for another content type, 400 if it is not JSON.
    """
    headers = Headers(scope=scope)
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise ApiError(415, "The body must be sent as Content-Type: application/json.")
    length = headers.get("content-length", "0")
    body = bytearray()
    more = True
    while more and length.isdigit() and int(length) <= limit and len(body) <= limit:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ApiError(400, "The body was cut short.")
        body += event.get("body", b"")
        more = event.get("more_body", False)
    if more or len(body) > limit:
        message = f"The body is larger than {limit:,} bytes."
        raise ApiError(413, message, headers={"Connection": "close"})
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise ApiError(400, "The body is not valid JSON.") from None


def dump(value: Any) -> bytes:
    """Return compact JSON in UTF-8."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode("utf-8", "replace")


def json_response(value: Any) -> Response:
    """Build a JSON response."""
    return Response(dump(value), media_type="application/json")


def error_response(error: ApiError) -> Response:
    """Build a response with OpenAI's error envelope."""
    return Response(
        dump(error.envelope()),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )


def error_handler(describe: Describe) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Build a handler for Starlette's ``exception_handlers``."""

    async def handle(_: Request, error: Exception) -> Response:
        return error_response(describe(error))

    return handle
