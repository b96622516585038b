"""Records that go to the large model itself, with every question: how to answer, not who asks.

A preference or a fact is sent if its first line is ``[send]``. Somebody else may have written a
document, so no sample or document ever is.
"""

from __future__ import annotations

from costeer import marks
from costeer.profile.records import WRITTEN, Kind, Record


def is_sent(record: Record) -> bool:
    """Whether a record is sent; one that is withheld, too, is not."""
    return can_be_sent(record.kind) and marks.is_sent(record.text)


def can_be_sent(kind: Kind) -> bool:
    """Whether records of a kind can be sent."""
    return kind not in WRITTEN


def mark(text: str) -> str:
    """A text as the record that is sent."""
    return f"{marks.SEND}\n{unmark(text)}"


def unmark(text: str) -> str:
    """A text as the record that stays."""
    return marks.unsend(text)
