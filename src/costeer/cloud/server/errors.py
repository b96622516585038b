"""This server's errors as HTTP responses."""

from __future__ import annotations

from costeer.cloud.server.jobs import ClosedError, QueueFullError
from costeer.exceptions import ContextLengthError
from costeer.serving import errors
from costeer.serving.errors import ApiError


def api_error(error: Exception) -> ApiError:
    """Translate an error for the client; a ``serving.errors.Describe``."""
    if isinstance(error, QueueFullError):
        return ApiError(429, error.message, code="queue_full", headers={"Retry-After": "1"})
    if isinstance(error, ClosedError):
        return ApiError(503, error.message, code="shutting_down", headers={"Retry-After": "1"})
    if isinstance(error, ContextLengthError):
        return ApiError(400, error.message, code="context_length_exceeded", param="prompt")
    return errors.api_error(error)
