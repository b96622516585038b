"""Values of JSON fields, checked. Errors name the field and never quote what it held."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costeer.serving.errors import ApiError


def wrong(name: str, expected: str) -> ApiError:
    """A 400 for a field with a value of the wrong kind or size."""
    return ApiError(400, f"{name} must be {expected}.", param=name, code="invalid_value")


def json_object(body: Any) -> Mapping[str, Any]:
    """A request body, which has to be an object."""
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.", code="invalid_value")
    return body


def flag(body: Mapping[str, Any], name: str) -> bool:
    """A boolean; absent or null is false."""
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise wrong(name, "true or false")
    return bool(value)


def integer(body: Mapping[str, Any], name: str, low: int, high: int) -> int | None:
    """A whole number from ``low`` to ``high``, or None."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) is not int or not low <= value <= high:
        raise wrong(name, f"a whole number from {low:,} to {high:,}")
    return value


def number(body: Mapping[str, Any], name: str, low: float, high: float) -> float | None:
    """A number from ``low`` to ``high``, or None."""
    value = body.get(name)
    if value is None:
        return None
    if type(value) not in (int, float) or not low <= value <= high:  # NaN is in no range
        raise wrong(name, f"a number from {low:g} to {high:g}")
    return float(value)


def text(body: Mapping[str, Any], name: str) -> str | None:
    """A text, or None."""
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise wrong(name, "a text")
    return None if value is None else whole_characters(value)


def whole_characters(value: str) -> str:
    """The text with half surrogate pairs, which JSON can spell, replaced."""
    return value.encode("utf-8", "replace").decode()


def stop_texts(value: Any, most: int = 16, longest: int = 1000) -> tuple[str, ...]:
    """The ``stop`` field: a text or a list of them."""
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or not all(isinstance(one, str) and one for one in stops):
        raise wrong("stop", "a text or a list of texts, none of them empty")
    if len(stops) > most or any(len(one) > longest for one in stops):
        raise wrong("stop", f"at most {most} texts of at most {longest:,} characters")
    return tuple(whole_characters(one) for one in stops)
