"""Error answers of a server: what they mean, and what to do about them.

The server's own words are read but never repeated: they may quote the request.
"""

from __future__ import annotations

import re

import httpx

from costeer.cloud.client.retry import AgainError
from costeer.exceptions import CloudRefusedError

REFUSALS = (400, 422)
"""Statuses that say: ask in another way."""

TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})
"""Statuses after which asking again later makes sense."""

LONGEST_WAIT = 30.0
"""Seconds that a server may make us wait before the next try."""

HINTS = {
    400: "The prompt may be too long for it, or it does not take token ids as a prompt.",
    401: "Set the API key with COSTEER_API_KEY.",
    403: "Set the API key with COSTEER_API_KEY; this one may not use the model.",
    404: "Check the URL and the name of the model; /v1/models lists what there is.",
    413: "Shorten the conversation.",
    422: "It may not take token ids as a prompt.",
    429: "It has too much to do, or your quota is used up; try again later.",
    503: "It is starting, stopping or overloaded; try again later.",
}
_CONTEXT = "The conversation is longer than the model's context: shorten it."
_TOO_LONG = re.compile(r"context[ _](?:length|size)|max_tokens .*got 0", re.IGNORECASE)
"""The second is vLLM's word for a prompt that fills the context to the last token."""
_CAP = re.compile(
    r"(?:max(?:imum)?(?:\s+allowed)?(?:\s+value)?|at most|up to|<=|equal to|from \d+ to)"
    r"(?:\s+of|\s+is|:)?\s*(\d+)",
    re.IGNORECASE,
)


def refused(status: int, text: str) -> CloudRefusedError:
    """The exception for an error answer.

    Args:
        status: of HTTP.
        text: its body.
    """
    if 300 <= status < 400:
        hint = "The URL redirects; give the address that it leads to."
    elif status == httpx.codes.BAD_REQUEST and too_long(text):
        hint = _CONTEXT
    else:
        hint = HINTS.get(status, "Its own log says more." if status >= 500 else "Check the URL.")
    return CloudRefusedError(f"The cloud server answered {status}.", hint, status=status)


def too_long(text: str) -> bool:
    """Whether a refusal is about the length of the prompt."""
    return _TOO_LONG.search(text) is not None


def logprobs_cap(text: str, asked: int) -> int | None:
    """The most log-probabilities a token that a refusal allows, if that is what it says.

    vLLM: "Requested sample logprobs of 64, which is greater than max allowed: 20".
    """
    return _cap("logprobs", text, asked)


def tokens_cap(text: str, asked: int) -> int | None:
    """The most tokens a request that a refusal allows, if that is what it says."""
    return _cap("max_tokens", text, asked)


def _cap(field: str, text: str, asked: int) -> int | None:
    if field not in text:
        return None
    caps = [int(found) for found in _CAP.findall(text)]
    return next((cap for cap in caps if 0 < cap < asked), None)


def retry_after(response: httpx.Response) -> float:
    """Seconds to wait according to the Retry-After header; its date form counts as none."""
    value = response.headers.get("retry-after", "")
    return min(float(value), LONGEST_WAIT) if value.isascii() and value.isdigit() else 0.0


def transient(response: httpx.Response, text: str) -> AgainError:
    """For a status of ``TRANSIENT``. What made a server fail (500) may well do so again."""
    error = refused(response.status_code, text)
    return AgainError(error, retry_after(response), lasting=error.status == 500)
