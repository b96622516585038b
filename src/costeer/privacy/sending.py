"""Records that a person sends: how an answer is to be, not who it is for.

A record of a context whose first line is ``[send]`` goes to the large model with every question, as
an instruction. "Answer in Spanish." is no secret once the answer is in Spanish, and the large model
follows it far better than steering can bring it about (docs/strength.md). Values in it still get
stand-ins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MARK = "[send]"

_MARKS = re.compile(r"(?:\s*\[(?:open|stand-in|withheld|send)\][ \t]*\n?)+", re.IGNORECASE)
_SEND = re.compile(r"\[send\][ \t]*\n?", re.IGNORECASE)
_RECORD_BREAK = re.compile(r"\n[ \t]*\n\s*")


def is_marked(record: str) -> bool:
    """Whether a record states that it is sent, beside its level, if it has one."""
    return MARK in _marks(record)


def unmark(record: str) -> str:
    """A record without the lines in front that say how far it may go."""
    return record[len(_marks(record)) :]


def unmark_all(context: str) -> str:
    """A context of which nothing is sent: for what others may have written. Levels stay."""
    if MARK not in context.lower():
        return context
    return "\n\n".join(map(_unsend, _records(context)))


def sent_records(context: str) -> list[str]:
    """The records of a context that are sent, without their marks; withheld ones are not."""
    if MARK not in context.lower():
        return []
    marked = (record for record in _records(context) if is_marked(record))
    sent = (unmark(record).strip() for record in marked if "[withheld]" not in _marks(record))
    return [record for record in sent if record]


def describe_sent(sent: Sequence[str]) -> str:
    """One line for the person, without the texts; "" where there are none."""
    if not sent:
        return ""
    records = "1 record goes" if len(sent) == 1 else f"{len(sent)} records go"
    return f"{records} up with your question, as you marked: {MARK}."


def _records(context: str) -> list[str]:
    return _RECORD_BREAK.split(context.replace("\r\n", "\n").replace("\r", "\n"))


def _unsend(record: str) -> str:
    end = len(_marks(record))
    return _SEND.sub("", record[:end]) + record[end:]


def _marks(record: str) -> str:
    found = _MARKS.match(record)
    return found[0].lower() if found else ""
