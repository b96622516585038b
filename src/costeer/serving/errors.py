"""Errors as HTTP responses, all in OpenAI's error envelope.

Knows the errors that every server has; a server with errors of its own has its own ``Describe``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.exceptions import HTTPException

from costeer.exceptions import CoSteerError


class ApiError(Exception):
    """An error response: an HTTP status and OpenAI's envelope.

    https://platform.openai.com/docs/guides/error-codes
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, Any]:
        """Return ``{"error": {message, type, param, code}}``."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        if self.status == 401:
            kind = "authentication_error"
        elif self.status == 429:
            kind = "rate_limit_error"
        return {
            "error": {
                "message": self.message,
                "type": kind,
                "param": self.param,
                "code": self.code,
            }
        }


Describe = Callable[[Exception], ApiError]
"""Translates an exception for the client."""


def api_error(error: Exception) -> ApiError:
    """Translate the errors that every server has; a ``Describe``."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, HTTPException):
        text = {404: "There is no such path.", 405: "This path does not take that method."}
        message = text.get(error.status_code, "The request was refused.")
        return ApiError(error.status_code, message, headers=error.headers)
    if isinstance(error, CoSteerError):
        return ApiError(500, error.message, code="model_error")
    return ApiError(500, "The server failed.", code="internal_error")
