"""Before sending: which of the person's values an answer's messages would send as they are.

The guard says which (``Guard.exposed``); here is only where they stand. The person decides: a
stand-in instead, as it is, or nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costeer.models.base import Message
from costeer.privacy.preflight import held
from costeer.privacy.values import Value
from costeer.serving.errors import ApiError


def describe(values: Sequence[Value], messages: Sequence[Message]) -> list[dict[str, Any]]:
    """Each value, its kind, and whether it stands in the question (the last of the messages)."""
    asked = held(values, [messages[-1]["content"]])
    return [{"text": value.text, "kind": value.kind, "asked": value in asked} for value in values]


def undecided() -> ApiError:
    """The answer to a question that would send values, and does not say how."""
    return ApiError(
        409,
        "What you send holds values of yours. Say whether stand-ins are to be sent instead.",
        param="guard",
        code="guard_undecided",
    )
