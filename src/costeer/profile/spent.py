"""What answers with a profile have spent of a budget: where ``privacy.odometer`` keeps its range.

A copy of a profile knows nothing of what was spent after it was made. So a restored one says so
until the person starts again from nothing.
"""

from __future__ import annotations

from pathlib import Path

from costeer.exceptions import ProfileFileError
from costeer.profile import files
from costeer.profile.database import Database

RESTORED = "restored"
"""The file in a profile's folder that says that it was made of a backup."""


class ProfileSpent:
    """The range in a profile's database; each write is on the disk when it returns.

    Args:
        name: of the profile, for messages.
        database: of the profile.

    Attributes:
        lock_path: a file that is locked while an answer spends.
    """

    def __init__(self, name: str, database: Database) -> None:
        self._name = name
        self._database = database
        self._restored = database.path.parent / RESTORED
        self.lock_path = database.path.parent / "spent.lock"

    def read(self) -> tuple[float, float]:
        """Nats, lowest and highest; 0 where nothing has been written.

        Raises:
            ProfileFileError: the profile is a restored one.
        """
        if self._restored.exists():
            raise ProfileFileError(
                f"The profile {self._name} was restored from a backup, so what has been spent "
                "since then is not known.",
                f"Start again from nothing: costeer budget reset --profile {self._name}",
            )
        rows = self._database.read("SELECT low, high FROM spent")
        return (float(rows[0][0]), float(rows[0][1])) if rows else (0.0, 0.0)

    def write(self, low: float, high: float) -> None:
        """Keep this range in place of the earlier one."""
        with self._database.write() as connection:
            connection.execute("INSERT OR REPLACE INTO spent VALUES (1, ?, ?)", (low, high))
        if self._restored.exists():
            self._restored.unlink()
            files.sync(self._restored.parent)

    @property
    def begun(self) -> bool:
        """Whether it no longer begins with what was spent elsewhere; a restored one does not."""
        return self._restored.exists() or bool(self._database.read("SELECT 1 FROM spent"))

    def begin_at(self, low: float, high: float) -> None:
        """Where nothing has been written yet, begin with what was spent elsewhere."""
        with self._database.write() as connection:
            connection.execute("INSERT OR IGNORE INTO spent VALUES (1, ?, ?)", (low, high))


def mark_restored(folder: Path) -> None:
    """Say that the profile in this folder was made of a backup."""
    files.write_private(folder / RESTORED, "")
