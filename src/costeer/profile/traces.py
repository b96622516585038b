"""How each answer came about: its strength, what was read for it, and details of its tokens.

The details are JSON that only the caller understands, and are kept compressed. They are derived
from private text, like the answer itself.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field
from typing import Any

from costeer.profile.database import Database


@dataclass(frozen=True, slots=True)
class Trace:
    """How one answer came about.

    Attributes:
        strength: a name or a number, as text.
        finish_reason: "stop", "length", "interrupted" or "error".
        changed: tokens that steering changed.
        records: how many records were read on the device.
        characters: how many characters of private text were read on the device.
        details: any JSON value.
    """

    strength: str
    finish_reason: str
    changed: int
    records: int
    characters: int
    details: Any = field(repr=False)


class Traces:
    """The traces in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, answer: int, trace: Trace) -> None:
        """Keep the trace of an answer that has none."""
        text = json.dumps(trace.details, ensure_ascii=False, separators=(",", ":"))
        packed = zlib.compress(text.encode("utf-8", "replace"))
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO traces VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    answer,
                    trace.strength,
                    trace.finish_reason,
                    trace.changed,
                    trace.records,
                    trace.characters,
                    packed,
                ),
            )

    def get(self, answer: int) -> Trace | None:
        """The trace of a message; None if there is none."""
        rows = self._database.read(
            "SELECT strength, finish_reason, changed, records, characters, details FROM traces "
            "WHERE message = ?",
            (answer,),
        )
        if not rows:
            return None
        strength, reason, changed, records, characters, packed = rows[0]
        details = json.loads(zlib.decompress(packed))
        return Trace(strength, reason, changed, records, characters, details)
