"""Error responses of a server: what they mean, and what to do about them.

The server's message is parsed but never repeated, because it may quote the request.
"""

from __future__ import annotations

import re

import httpx2

from costeer.cloud.client.retry import RetryableError
from costeer.exceptions import CloudRefusedError

REFUSALS = (400, 422)
"""Statuses after which another form of the request may work."""

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which a retry may work."""

LONGEST_WAIT = 30.0
"""The most seconds that a server may make us wait before a retry."""

HINTS = {
    400: "The prompt may be too long for it, or it does not take token ids as a prompt.",
    401: "Set the API key with COSTEER_API_KEY.",
    403: "Set the API key with COSTEER_API_KEY; this one may not use the model.",
    404: "Check the URL and the name of the model; /v1/models lists what there is.",
    413: "Shorten the conversation.",
    422: "It may not take token ids as a prompt.",
    429: "It is overloaded, or your quota is used up; try again later.",
    503: "It is starting, stopping or overloaded; try again later.",
}
_CONTEXT = "The conversation is longer than the model's context: shorten it."
_TOO_LONG = re.compile(r"context[ _](?:length|size)|max_tokens .*got 0", re.IGNORECASE)
"""The second is vLLM's message for a prompt that fills the context to the last token."""
_CAP = re.compile(
    r"(?:max(?:imum)?(?:\s+allowed)?(?:\s+value)?|at most|up to|<=|equal to|from \d+ to)"
    r"(?:\s+of|\s+is|:)?\s*(\d+)",
    re.IGNORECASE,
)


def refused_error(status: int, text: str) -> CloudRefusedError:
    """Build the exception for an error response.

    Args:
        status: the HTTP status.
        text: the body.
    """
    if 300 <= status < 400:
        hint = "The URL redirects; use the address it redirects to."
    elif status == httpx2.codes.BAD_REQUEST and too_long(text):
        hint = _CONTEXT
    else:
        hint = HINTS.get(status, "Its own log says more." if status >= 500 else "Check the URL.")
    return CloudRefusedError(f"The cloud server answered {status}.", hint, status=status)


def too_long(text: str) -> bool:
    """Return whether a refusal is about the length of the prompt."""
    return _TOO_LONG.search(text) is not None


def logprobs_cap(text: str, asked: int) -> int | None:
    """Return the most log-probabilities per token that a refusal allows, if it says so.

    vLLM: "Requested sample logprobs of 64, which is greater than max allowed: 20".
    """
    return _cap("logprobs", text, asked)


def tokens_cap(text: str, asked: int) -> int | None:
    """Return the most tokens per request that a refusal allows, if it says so."""
    return _cap("max_tokens", text, asked)


def _cap(field: str, text: str, asked: int) -> int | None:
    if field not in text:
        return None
    caps = [int(found) for found in _CAP.findall(text)]
    return next((cap for cap in caps if 0 < cap < asked), None)


def retry_after(response: httpx2.Response) -> float:
    """Return the seconds in the Retry-After header; its date form counts as 0."""
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_WAIT) if value.isascii() and value.isdigit() else 0.0


def transient_error(response: httpx2.Response, text: str) -> RetryableError:
    """Build the exception for a status in ``TRANSIENT``; 500 looks permanent."""
    error = refused_error(response.status_code, text)
    return RetryableError(error, retry_after(response), permanent=error.status == 500)
