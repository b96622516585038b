"""Errors as clients see them.

OpenAI's clients repeat a request after 408, 409, 429 and every 5xx unless ``x-should-retry`` says
no. The door to the cloud has repeated already, so a repetition would only send the query again.
"""

from __future__ import annotations

from starlette.exceptions import HTTPException

from costeer.exceptions import (
    BudgetBusyError,
    CloudError,
    CloudRefusedError,
    CloudUnreachableError,
    ContextLengthError,
    CoSteerError,
    StoppedError,
    UsageError,
)
from costeer.serving import errors
from costeer.serving.errors import ApiError

FINAL = {"x-should-retry": "false"}

NO_PATH = (
    "There is no such path. The base URL ends in /v1; there are /v1/chat/completions, "
    "/v1/responses and /v1/models."
)

CODES: dict[type[CoSteerError], str] = {
    ContextLengthError: "context_length_exceeded",
    UsageError: "invalid_request",
    CloudUnreachableError: "cloud_unreachable",
    CloudRefusedError: "cloud_refused",
    BudgetBusyError: "budget_busy",
}


def api_error(error: Exception) -> ApiError:
    """A ``Describe``."""
    if isinstance(error, HTTPException) and error.status_code == 404:
        return ApiError(404, NO_PATH, code="unknown_url")
    if isinstance(error, UsageError | ContextLengthError):
        return ApiError(400, error.message, code=_code(error), param="messages")
    if isinstance(error, StoppedError):
        return ApiError(503, "The gateway is shutting down.", code="shutting_down", headers=FINAL)
    if isinstance(error, CloudError | BudgetBusyError):
        status = 502 if isinstance(error, CloudError) else 503
        return ApiError(status, error.message, code=_code(error), headers=FINAL)
    described = errors.api_error(error)
    if described.status >= 500 and not isinstance(error, ApiError):
        return ApiError(500, described.message, code=described.code, headers=FINAL)
    return described


def queue_full() -> ApiError:
    """As many answers wait as may."""
    return ApiError(
        429,
        "All lanes are busy, and as many requests wait as may.",
        code="queue_full",
        headers={"Retry-After": "2"},
    )


def _code(error: CoSteerError) -> str:
    return next((code for kind, code in CODES.items() if isinstance(error, kind)), "cloud_error")
