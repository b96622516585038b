"""Records that a person sends: how an answer is to be, not who it is for.

A record of a context whose first line is ``[send]`` goes to the large model with every question, as
an instruction. "Answer in Spanish." is no secret once the answer is in Spanish, and the large model
follows it far better than steering can bring it about (docs/strength.md). Values in it still get
stand-ins.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from costeer.marks import SEND, is_sent, unmark, unsend

_RECORD_BREAK = re.compile(r"\n[ \t]*\n\s*")


def unmark_all(context: str) -> str:
    """A context of which nothing is sent: for what others may have written. Levels stay."""
    if SEND not in context.lower():
        return context
    return "\n\n".join(map(unsend, _records(context)))


def sent_records(context: str) -> list[str]:
    """The records of a context that are sent, without their marks; withheld ones are not."""
    if SEND not in context.lower():
        return []
    sent = (unmark(record).strip() for record in _records(context) if is_sent(record))
    return [record for record in sent if record]


def describe_sent(sent: Sequence[str]) -> str:
    """One line for the person, without the texts; "" where there are none."""
    if not sent:
        return ""
    records = "1 record goes" if len(sent) == 1 else f"{len(sent)} records go"
    return f"{records} up with your question, as you marked: {SEND}."


def _records(context: str) -> list[str]:
    return _RECORD_BREAK.split(context.replace("\r\n", "\n").replace("\r", "\n"))
