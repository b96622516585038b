"""Values of a person: a piece of private text, what kind it is, and how far it may go.

Three levels, for a value or for a whole record of a context (blank lines separate records):

    open        the small model reads it, and steering may bring it into the answer
    stand-in    every model reads another value in its place; the display restores it
    withheld    no model reads anything of it

A record gets a level by a first line of ``[open]``, ``[stand-in]`` or ``[withheld]``. Without one,
a value that rules find has the level of its kind (``LEVEL_OF_KIND``): what one person has, such as
a telephone number, gets a stand-in; what a million people share and an answer is about, such as a
city, is open.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, get_args

from costeer.exceptions import InputError
from costeer.privacy.folding import fold

Level = Literal["open", "stand-in", "withheld"]
LEVELS: tuple[Level, ...] = get_args(Level)

Kind = Literal[
    "name", "place", "organisation", "address", "e-mail", "phone", "link", "handle", "date",
    "number", "account", "other",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)

LEVEL_OF_KIND: dict[Kind, Level] = {
    "name": "stand-in",
    "place": "open",
    "organisation": "stand-in",
    "address": "stand-in",
    "e-mail": "stand-in",
    "phone": "stand-in",
    "link": "stand-in",
    "handle": "stand-in",
    "date": "stand-in",
    "number": "stand-in",
    "account": "stand-in",
    "other": "stand-in",
}
"""The level of a value that was found and not confirmed. A date that is found is one of birth;
other dates and plain numbers are found only in the mode "strict", in which nothing is open."""

LONGEST = 200
"""Characters of a value; what is longer is a record, not a value."""

_RECORD_LEVEL = re.compile(r"\s*\[((?ai:open|stand-in|withheld))\][ \t]*\n?")


@dataclass(frozen=True, slots=True)
class Value:
    """One value.

    Attributes:
        text: as the person writes it.
        kind: decides what its stand-ins look like.
        level: how far it may go.

    Raises:
        InputError: an unknown kind or level, or a text that cannot be a value.
    """

    text: str
    kind: Kind = "other"
    level: Level = "stand-in"

    def __post_init__(self) -> None:
        if not any(c.isalnum() for c in self.text) or len(self.text) > LONGEST:
            raise InputError(
                f"A guarded value must have a letter or digit and at most {LONGEST} characters."
            )
        if self.kind not in KINDS:
            raise InputError("A guarded value has an unknown kind.", f"Kinds: {', '.join(KINDS)}.")
        if self.level not in LEVELS:
            raise InputError(
                "A guarded value has an unknown level.", f"Levels: {', '.join(LEVELS)}."
            )


def split_level(record: str) -> tuple[Level | None, str]:
    """The level that a record states in its first line, and the record without that line."""
    found = _RECORD_LEVEL.match(record)
    if found is None:
        return None, record
    name = found[1].lower()
    return next(level for level in LEVELS if level == name), record[found.end() :]


def merge(confirmed: list[Value], detected: list[Value]) -> list[Value]:
    """The confirmed values, and those detected that are not among them."""
    known = {_compared(value) for value in confirmed}
    return [*confirmed, *(value for value in detected if _compared(value) not in known)]


def _compared(value: Value) -> str:
    """Its text without case, accents and the kind of white space, which do not make another one."""
    return " ".join(fold(value.text).text.split())
