"""The one place where exceptions become HTTP answers, all in OpenAI's error envelope."""

from __future__ import annotations

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from costeer.cloud.chunks import dump
from costeer.cloud.protocol import ApiError
from costeer.cloud.scheduler import ClosedError, QueueFullError
from costeer.exceptions import ContextLengthError, CoSteerError


def error_response(error: ApiError) -> Response:
    """OpenAI's error envelope."""
    return Response(
        dump(error.envelope()),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )


async def on_error(_: Request, error: Exception) -> Response:
    """For Starlette's table of exception handlers."""
    return error_response(api_error(error))


def api_error(error: Exception) -> ApiError:  # noqa: PLR0911 - a table
    """What a client is told of ``error``."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        text = {404: "There is no such path.", 405: "This path does not take that method."}
        message = text.get(error.status_code, "The request was refused.")
        return ApiError(error.status_code, message, headers=error.headers)
    if isinstance(error, QueueFullError):
        return ApiError(429, error.message, code="queue_full", headers={"Retry-After": "1"})
    if isinstance(error, ClosedError):
        return ApiError(503, error.message, code="shutting_down", headers={"Retry-After": "1"})
    if isinstance(error, ContextLengthError):
        return ApiError(400, error.message, code="context_length_exceeded", param="prompt")
    if isinstance(error, CoSteerError):
        return ApiError(500, error.message, code="model_error")
    return ApiError(500, "The server failed.", code="internal_error")
