"""What the page asks for: the body of a question, read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from costeer.gateway import values
from costeer.gateway.extension import strength
from costeer.gateway.page.calls import LARGEST_ID
from costeer.privacy.guard import GuardMode

LONGEST = 400_000
"""Characters of a question; no model here reads a tenth of it."""

MOST_WITHOUT = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """The body of a question; exactly one of the first four says what is wanted."""

    text: str | None = field(default=None, repr=False)
    edit: int | None = None
    regenerate: int | None = None
    go_on: int | None = None
    position: int = 0
    token: int = 0
    strength: float | str | None = None
    without: frozenset[int] = frozenset()
    alone: bool = False
    guard: GuardMode | None = None


def parse(body: Mapping[str, Any]) -> Asked:
    """Read a body.

    Raises:
        ApiError: 400, naming the field.
    """
    numbers = {
        name: values.integer(body, name, 1, LARGEST_ID)
        for name in ("edit", "regenerate", "continue")
    }
    given = [name for name, value in numbers.items() if value is not None]
    text = question_text(body) if given in ([], ["edit"]) else None
    if len(given) > 1:
        raise values.wrong(given[1], f"absent where {given[0]} is given")
    go_on = numbers["continue"] is not None
    return Asked(
        text=text,
        edit=numbers["edit"],
        regenerate=numbers["regenerate"],
        go_on=numbers["continue"],
        position=_needed(body, "position") if go_on else 0,
        token=_needed(body, "token") if go_on else 0,
        strength=strength(body.get("strength"), "strength"),
        without=_without(body.get("without")),
        alone=values.flag(body, "alone"),
        guard=_guard(body),
    )


def question_text(body: Mapping[str, Any]) -> str:
    """The field ``text``; errors as above."""
    text = values.text(body, "text")
    if text is None or not text.strip() or len(text) > LONGEST:
        raise values.wrong("text", f"a text of up to {LONGEST:,} characters")
    return text


def _needed(body: Mapping[str, Any], name: str) -> int:
    value = values.integer(body, name, 0, LARGEST_ID)
    if value is None:
        raise values.wrong(name, "given")
    return value


def _guard(body: Mapping[str, Any]) -> GuardMode | None:
    value = body.get("guard")
    if value not in (None, "off", "stand-in"):
        raise values.wrong("guard", '"stand-in" or "off"')
    guard: GuardMode | None = value
    return guard


def _without(value: Any) -> frozenset[int]:
    if value is None:
        return frozenset()
    if not isinstance(value, list) or len(value) > MOST_WITHOUT:
        raise values.wrong("without", "a list of numbers of records")
    if not all(type(one) is int for one in value):
        raise values.wrong("without", "a list of numbers of records")
    return frozenset(value)
