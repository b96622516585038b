"""The values that a profile's person has confirmed, with their kinds and levels.

What kinds and levels mean is known to ``privacy.values`` alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from costeer.profile.database import Database


class GuardedValues:
    """The list in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[tuple[str, str, str]]:
        """Text, kind and level of each value, in order."""
        rows = self._database.read("SELECT text, kind, level FROM guarded_values ORDER BY position")
        return [(text, kind, level) for text, kind, level in rows]

    def replace(self, values: Iterable[tuple[str, str, str]]) -> None:
        """Keep these in place of the earlier ones."""
        with self._database.write() as connection:
            connection.execute("DELETE FROM guarded_values")
            connection.executemany(
                "INSERT INTO guarded_values (text, kind, level) VALUES (?, ?, ?)", list(values)
            )
