"""Every method by name, with its parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from costeer.exceptions import ParameterError
from costeer_evals.methods.auto import AutoCoSteer
from costeer_evals.methods.base import Method
from costeer_evals.methods.capped import Capped
from costeer_evals.methods.costeer import LIGHT_GAIN, AdaCoSteer, CoSteer
from costeer_evals.methods.floored import Floored
from costeer_evals.methods.guided import Guided
from costeer_evals.methods.own_words import OwnWords
from costeer_evals.methods.plain import Plain
from costeer_evals.methods.related import (
    Amulet,
    ContextSteering,
    ContrastiveDecoding,
    LinearAlignment,
    Mixture,
    ProxyTuning,
)

METHODS: Mapping[str, tuple[type[Method], Mapping[str, Any]]] = {
    "slm-without": (Plain, {"branch": "slm_without"}),
    "slm-with": (Plain, {"branch": "slm_with"}),
    "llm-without": (Plain, {"branch": "llm_without"}),
    "llm-with": (Plain, {"branch": "llm_with"}),
    "light-costeer": (CoSteer, {"gain": LIGHT_GAIN}),
    "costeer": (CoSteer, {}),
    "auto": (AutoCoSteer, {}),
    "own-words": (OwnWords, {}),
    "floored": (Floored, {}),
    "adacosteer": (AdaCoSteer, {}),
    "contrastive-decoding": (ContrastiveDecoding, {}),
    "context-steering": (ContextSteering, {}),
    "linear-alignment": (LinearAlignment, {}),
    "amulet": (Amulet, {}),
    "proxy-tuning": (ProxyTuning, {}),
    "mixture": (Mixture, {}),
}
"""The rule behind a name, and the parameters that the name fixes."""

GUIDED = "guided-"
"""The prefix of a method whose LLM is guided (``methods.guided``)."""

CAPPED = re.compile(r"capped-([0-9.]+)-(?:of-([0-9]+)-)?(.+)")
"""A method under a cap of so many nats, which chooses among so many tokens (``methods.capped``)."""


def make_method(name: str, **parameters: Any) -> Method:
    """Make the method with that name, e.g. ``make_method("costeer", gain=0.5)``.

    Raises:
        ParameterError: no such method or parameter, or a value out of its range.
    """
    if name not in METHODS:
        raise ParameterError(
            f"There is no method {name[:40]!r}.", f"The methods are: {', '.join(METHODS)}."
        )
    rule, fixed = METHODS[name]
    free = sorted({field.name for field in fields(rule)} - fixed.keys())
    for given in parameters:
        if given not in free:
            raise ParameterError(
                f"The method {name} has no parameter {given[:40]!r}.",
                f"It has: {', '.join(free)}." if free else "It has none.",
            )
    return rule(**fixed, **parameters)


def parse_method(text: str) -> Method:
    """Parse a method as people write it: a name, then parameters, e.g. ``costeer:gain=0.5``.

    ``guided-`` may precede the name, and ``capped-8-`` or ``capped-8-of-1024-`` the whole.

    Raises:
        ParameterError: there is no such method or parameter, or the text has another form.
    """
    text = text.strip()
    if capped := CAPPED.fullmatch(text):
        epsilon, top, inner = capped.groups()
        return Capped(parse_method(inner), _number(epsilon, text), int(top or 64))
    if text.startswith(GUIDED):
        return Guided(parse_method(text.removeprefix(GUIDED)))
    name, *given = text.split(":")
    parameters: dict[str, Any] = {}
    for part in given:
        key, found, value = part.partition("=")
        if not found or not key.isidentifier():
            raise ParameterError(
                f"{text[:40]!r} is not a method with parameters.", 'Write "costeer:gain=0.5", say.'
            )
        parameters[key] = _value(value)
    try:
        return make_method(name, **parameters)
    except TypeError:
        raise _not_a_number(text) from None


def _number(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise _not_a_number(text) from None


def _not_a_number(text: str) -> ParameterError:
    return ParameterError(f"A parameter of {text[:40]!r} is not a number.")


def _value(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
