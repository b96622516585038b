"""Errors as the page sees them: what happened, and what to do next."""

from __future__ import annotations

import logging

from costeer.exceptions import CoSteerError, ProfileBusyError, ProfileError, ProfileSpaceError
from costeer.gateway import errors
from costeer.serving.errors import ApiError

log = logging.getLogger("costeer.gateway")

STATUSES: dict[type[ProfileError], int] = {ProfileBusyError: 503, ProfileSpaceError: 507}


def page_error(error: Exception) -> ApiError:
    """A ``Describe``; logs only of what kind an error is, because its text may quote the person."""
    described = _describe(error)
    if described.status >= 500:
        log.error("the page failed: %s", type(error).__name__)
    return described


def _describe(error: Exception) -> ApiError:
    if isinstance(error, ProfileError):
        status = next((code for kind, code in STATUSES.items() if isinstance(error, kind)), 500)
        return ApiError(status, str(error), code="profile_error")
    described = errors.api_error(error)
    if isinstance(error, CoSteerError):
        described.message = str(error)
        described.param = None
    return described
