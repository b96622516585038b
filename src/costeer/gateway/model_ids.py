"""Model ids: the one field that every client lets a person set, so it says strength and profile.

``costeer`` is the person's usual setting, ``costeer/off`` the large model alone (for titles, tags
and other calls that need no context), ``costeer/strong`` and the other names of
``decoding.strength`` that strength, ``costeer/NAME`` a profile.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from costeer.decoding.strength import NAMES
from costeer.serving.errors import ApiError

NAME = "costeer"
LISTED = ("off", "gentle", "strong")
"""Strengths that ``/v1/models`` offers beside ``costeer`` itself; the others work as well."""


@dataclass(frozen=True, slots=True)
class RequestedModel:
    """What a model id asks for; None for the usual."""

    strength: str | None = None
    profile: str | None = None


def choose(
    model: str | None, profiles: Collection[str], aliases: Collection[str]
) -> RequestedModel:
    """Read a model id.

    Args:
        model: as sent.
        profiles: their names. A strength of the same name goes first.
        aliases: ids that mean ``costeer``, for clients with fixed names.

    Raises:
        ApiError: 400 without an id, 404 for one that there is not.
    """
    if model is None:
        raise ApiError(400, "model is missing; see /v1/models.", param="model", code="missing")
    if model == NAME or model in aliases:
        return RequestedModel()
    room, slash, rest = model.partition("/")
    if room == NAME and slash and rest in NAMES:
        return RequestedModel(strength=rest)
    if room == NAME and slash and rest in profiles:
        return RequestedModel(profile=rest)
    raise ApiError(
        404, "There is no such model; see /v1/models.", param="model", code="model_not_found"
    )


def ids(profiles: Collection[str], aliases: Collection[str]) -> list[str]:
    """The ids that ``/v1/models`` lists."""
    named = [*LISTED, *(name for name in profiles if name not in NAMES)]
    return [NAME, *(f"{NAME}/{name}" for name in named), *sorted(aliases)]


def card(model: str, created: int) -> dict[str, Any]:
    """An OpenAI ``model`` object."""
    return {"id": model, "object": "model", "created": created, "owned_by": NAME}
