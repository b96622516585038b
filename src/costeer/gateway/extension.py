"""The field ``costeer`` of requests and of answers: what OpenAI's API has no field for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from costeer.decoding.strength import resolve_strength
from costeer.edge.answer import Result
from costeer.exceptions import ParameterError
from costeer.gateway.values import flag, text, wrong
from costeer.privacy.sending import unmark_all
from costeer.serving.errors import ApiError

FIELDS = ("strength", "context", "profile", "trace", "beginning")
TRACED = 10
"""Candidates that a trace shows, before and after steering."""

MOST_BEGUN = 1 << 20
"""Tokens of a beginning; the prompt says how many fit."""


@dataclass(frozen=True, slots=True)
class Extension:
    """What a request asks for beyond OpenAI's API.

    Attributes:
        strength: a name or a number.
        context: private text for this request alone.
        profile: whose records are read.
        trace: whether each step says what happened; for the owner only.
        beginning: tokens that the answer goes on from; for the owner only, as a trace gives them.
    """

    strength: float | str | None = None
    context: str = field(default="", repr=False)
    profile: str | None = None
    trace: bool = False
    beginning: tuple[int, ...] = ()


def extension(body: Mapping[str, Any], *, owner: bool, is_text: Callable[[int], bool]) -> Extension:
    """Read the field ``costeer``.

    Args:
        body: of the request.
        owner: whether the client is the person.
        is_text: whether a token may be part of a text.

    Raises:
        ApiError: 400 for what is not understood, 403 for what only the owner may have.
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
        raise _owner_required("costeer.trace", "A trace is made of the private context")
    if value.get("beginning") and not owner:
        raise _owner_required("costeer.beginning", "Tokens come from a trace")
    return Extension(
        strength=strength(value.get("strength"), "costeer.strength"),
        # An application fills it with what others have written, too.
        context=unmark_all(text(named, "costeer.context") or ""),
        profile=text(named, "costeer.profile"),
        trace=trace,
        beginning=_tokens(value.get("beginning"), "costeer.beginning", is_text),
    )


def ending(result: Result, traces: list[Any] | None = None) -> dict[str, Any]:
    """What is said at the end of an answer: its traces if it has them, and a warning.

    Returns:
        An object with the field ``costeer``; without it where there is nothing to say.
    """
    said: dict[str, Any] = {} if traces is None else {"trace": traces}
    if result.warning:
        said["warning"] = result.warning
    return {"costeer": said} if said else {}


def _owner_required(name: str, why: str) -> ApiError:
    message = f"{why}; this takes a token of scope owner."
    return ApiError(403, message, param=name, code="owner_required")


def _tokens(value: Any, name: str, is_text: Callable[[int], bool]) -> tuple[int, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MOST_BEGUN:
        raise wrong(name, "a list of token ids")
    if not all(type(token) is int and is_text(token) for token in value):
        raise wrong(name, "a list of token ids, each of them text")
    return tuple(value)


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
