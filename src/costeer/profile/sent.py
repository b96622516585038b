"""Records that go to the large model itself, with every question: how to answer, not who asks.

A preference or a fact is sent if its first line is ``[send]``. Somebody else may have written a
document, so no sample or document ever is.
"""

from __future__ import annotations

import re

from costeer.profile.records import WRITTEN, Kind, Record

_MARKS = re.compile(r"(?:\s*\[(?:open|stand-in|withheld|send)\][ \t]*\n?)+", re.IGNORECASE)
_SEND = re.compile(r"\[send\][ \t]*\n?", re.IGNORECASE)


def is_sent(record: Record) -> bool:
    """Whether a record is sent; one that is withheld, too, is not."""
    marks = _marks(record.text)
    return record.kind not in WRITTEN and "[send]" in marks and "[withheld]" not in marks


def can_be_sent(kind: Kind) -> bool:
    """Whether records of a kind can be sent."""
    return kind not in WRITTEN


def mark(text: str) -> str:
    """A text as the record that is sent."""
    return f"[send]\n{unmark(text)}"


def unmark(text: str) -> str:
    """A text as the record that stays."""
    end = len(_marks(text))
    return _SEND.sub("", text[:end]) + text[end:]


def _marks(text: str) -> str:
    found = _MARKS.match(text)
    return found[0].lower() if found else ""
