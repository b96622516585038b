"""Finding a value in a text, in any of its forms."""

from __future__ import annotations

from functools import lru_cache

from costeer.privacy.forms import name_forms, value_forms
from costeer.privacy.rewriting import Replacement, Rewriter
from costeer.privacy.values import Value

MASK = "\ue000"
"""Stands where a value was; a private-use character, which ends a word."""


def pairs_to_find(value: Value) -> list[Replacement]:
    """What ``Rewriter`` looks for; every occurrence becomes ``MASK``."""
    if value.kind == "name":
        forms = name_forms(value.text, lambda word: MASK)
    else:
        forms = value_forms(value, MASK)
    return [Replacement(form.real, MASK, form.separated, form.capital) for form in forms]


def stands_in(value: Value, text: str) -> bool:
    """Whether the text holds the value."""
    return next(_finder(value).find(text), None) is not None


@lru_cache(1024)
def _finder(value: Value) -> Rewriter:
    return Rewriter(pairs_to_find(value))
