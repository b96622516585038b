"""The field ``costeer`` of a request: what OpenAI's API has no field for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from costeer.decoding.strength import resolve_strength
from costeer.exceptions import ParameterError
from costeer.gateway.values import flag, text, wrong
from costeer.serving.errors import ApiError

FIELDS = ("strength", "context", "profile", "trace")
TRACED = 10
"""Candidates that a trace shows, before and after steering."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What a request asks for beyond OpenAI's API.

    Attributes:
        strength: a name or a number.
        context: private text for this request alone.
        profile: whose records are read.
        trace: whether each step says what happened; for the owner only.
    """

    strength: float | str | None = None
    context: str = field(default="", repr=False)
    profile: str | None = None
    trace: bool = False


def extension(body: Mapping[str, Any], *, owner: bool) -> Extension:
    """Read the field ``costeer``.

    Raises:
        ApiError: 400 for what is not understood, 403 for a trace that the client may not see.
    """
    value = body.get("costeer")
    if value is None:
        return Extension()
    if not isinstance(value, dict):
        raise wrong("costeer", f"an object with {', '.join(FIELDS)}")
    for name in value:
        if name not in FIELDS:
            raise wrong("costeer", f"an object with no fields but {', '.join(FIELDS)}")
    named = {f"costeer.{name}": one for name, one in value.items()}
    trace = flag(named, "costeer.trace")
    if trace and not owner:
        raise ApiError(
            403,
            "A trace is made of the private context; it takes a token of scope owner.",
            param="costeer.trace",
            code="owner_required",
        )
    return Extension(
        strength=strength(value.get("strength"), "costeer.strength"),
        context=text(named, "costeer.context") or "",
        profile=text(named, "costeer.profile"),
        trace=trace,
    )


def strength(value: Any, name: str) -> float | str | None:
    """A strength of ``decoding.strength``, or None.

    Raises:
        ApiError: 400, there is no such strength.
    """
    if value is None:
        return None
    if type(value) not in (int, float, str):
        raise wrong(name, "a name or a number")
    try:
        resolve_strength(value)
    except (ParameterError, OverflowError):
        raise wrong(name, "a name or a number from 0 to 1,000,000") from None
    return value if isinstance(value, str) else float(value)
