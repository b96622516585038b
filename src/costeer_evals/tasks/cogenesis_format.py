"""CoGenesis prompts: rendering one, and parsing one that a file holds already rendered.

Source: github.com/TsinghuaC3I/CoGenesis, src/prompts.py; the authors of CoSteer put all of it in
the user turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from costeer_evals.tasks.base import PastText
from costeer_evals.tasks.rows import DataRow

PROFILE = "\n\n## User Profile\n"
HISTORY = "\n\n## User Writing History\n"
QUERY = "\n\n## Task\n"


def records_text(records: Sequence[PastText], label: str = "Task", between: str = "\n\n") -> str:
    """``{label}: {title}\\nContent: {text}`` for every record."""
    return between.join(f"{label}: {r.title}\nContent: {r.text}" for r in records)


def split_records(row: DataRow, text: str, label: str) -> tuple[PastText, ...]:
    """The inverse of ``records_text``.

    Raises:
        InputError: the text is not of that form.
    """
    records = []
    for piece in re.split(rf"\n\n(?={label}: )", text):
        match = re.fullmatch(rf"{label}: (.*?)\nContent: (.*)", piece, re.DOTALL)
        if match is None:
            raise row.error("the history in the prompt does not have the known form.")
        records.append(PastText(match[1], match[2]))
    return tuple(records)


def between(row: DataRow, text: str, before: str, after: str = "") -> str:
    """The text between the first ``before`` and the last ``after`` (or the end).

    Raises:
        InputError: one of them is missing.
    """
    _, found, rest = text.partition(before)
    if not found:
        raise row.error(f"the prompt has no heading {before.strip()!r}.")
    if not after:
        return rest
    middle, found, _ = rest.rpartition(after)
    if not found:
        raise row.error(f"the prompt has no heading {after.strip()!r}.")
    return middle


def turns(row: DataRow) -> tuple[str, str]:
    """The user's and the assistant's text under ``conversations``.

    Raises:
        InputError: there are no such two turns.
    """
    parts = row.rows("conversations")
    if [part.values.get("from") for part in parts[:2]] != ["user", "assistant"]:
        raise row.error("'conversations' does not start with a turn of user and of assistant.")
    return parts[0].text("value"), parts[1].text("value")
