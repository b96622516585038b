"""Marks in front of a record, which say how far it may go: ``[send]``, and the levels.

What the levels mean is in ``privacy.values``. Knows text, and nothing of contexts or profiles.
"""

from __future__ import annotations

import re

SEND = "[send]"

# ASCII letters only: ignoring case, U+017F would be an "s", and lower case can change the length.
_MARKS = re.compile(r"(?:\s*\[(?ai:open|stand-in|withheld|send)\][ \t]*\n?)+")
_SEND = re.compile(r"\[(?ai:send)\][ \t]*\n?")


def has_send(record: str) -> bool:
    """Whether ``[send]`` is among the marks of a record."""
    return SEND in _marks(record).lower()


def is_sent(record: str) -> bool:
    """Whether a record is sent; one that is withheld, too, is not."""
    return has_send(record) and "[withheld]" not in _marks(record).lower()


def unsend(record: str) -> str:
    """A record without ``[send]`` among its marks; its levels stay."""
    marks = _marks(record)
    return _SEND.sub("", marks) + record[len(marks) :]


def unmark(record: str) -> str:
    """A record without any mark."""
    return record[len(_marks(record)) :]


def _marks(record: str) -> str:
    found = _MARKS.match(record)
    return found[0] if found else ""
