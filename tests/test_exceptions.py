"""The tree of errors is the one that is drawn, and every error can be shown to a user."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest

from costeer import exceptions

CLASSES = [
    found
    for _, found in inspect.getmembers(exceptions, inspect.isclass)
    if issubclass(found, Exception)
]


def drawn() -> Iterator[Any]:
    """(class, base) of each line of the drawing."""
    above = {}  # the class last drawn at each column
    for line in exceptions.__doc__.splitlines():
        if match := re.match(r"(    [│├└─ ]*)(\w+Error)\b", line):
            column, name = match.end(1), match[2]
            base = max((at for at in above if at < column), default=None)
            yield name, above.get(base, "Exception")
            above = {at: n for at, n in above.items() if at < column} | {column: name}


def test_the_tree_that_is_drawn_is_the_tree_of_classes() -> None:
    assert sorted(drawn()) == sorted((cls.__name__, cls.__base__.__name__) for cls in CLASSES)


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_shown_as_its_message_and_its_hint(cls: Any) -> None:
    fixed = "message" not in inspect.signature(cls).parameters  # such an error says one thing only
    error = cls() if fixed else cls("What happened.", "What to do.")
    assert str(error) == f"{error.message} {error.hint}".strip() != ""
    assert error.exit_code == (2 if issubclass(cls, exceptions.UsageError) else 1)
