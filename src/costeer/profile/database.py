"""One encrypted database: reading, transactions, and migrations to the newest schema.

Tables come from the numbered SQL files in ``migrations``, which are never edited once they have
been released: a change is another file. One connection, shared by the threads of a process; other
processes wait for each other up to five seconds. Knows nothing of what the tables mean.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import resources
from pathlib import Path
from typing import Any

from costeer.exceptions import ProfileFileError
from costeer.profile import cipher

Row = tuple[Any, ...]


class Database:
    """An open database.

    Args:
        connection: of ``cipher``.
        path: for messages.

    Raises:
        ProfileFileError: its schema is newer than this version knows.
    """

    def __init__(self, connection: cipher.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()
        try:
            self._migrate()
        except BaseException:
            connection.close()
            raise

    @classmethod
    def create(cls, path: Path, key: bytes) -> Database:
        """Make a new one; see ``cipher.create``."""
        return cls(cipher.create(path, key), path)

    @classmethod
    def open(cls, path: Path, key: bytes, salt: bytes) -> Database:
        """Open one that exists; see ``cipher.open_existing``."""
        return cls(cipher.open_existing(path, key, salt), path)

    @classmethod
    def in_memory(cls) -> Database:
        """Make one that no file holds."""
        return cls(cipher.create_in_memory(), Path("the memory"))

    @property
    def version(self) -> int:
        """The number of the newest migration that has been applied."""
        return int(self.read("PRAGMA user_version")[0][0])

    def read(self, sql: str, values: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""
        with self._lock, cipher.errors(self.path):
            return list(self._connection.execute(sql, values))

    @contextmanager
    def write(self) -> Iterator[cipher.Connection]:
        """A transaction: all of it is on the disk afterwards, or none. Nests into one."""
        with self._lock, cipher.errors(self.path):
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                # An error of the disk has rolled back already.
                with suppress(cipher.driver().Error):
                    self._connection.execute("ROLLBACK")
                raise

    def copy_to(self, path: Path) -> None:
        """Write a consistent copy with the same key and salt to a file that must not exist."""
        with self._lock, cipher.errors(self.path):
            self._connection.execute("VACUUM INTO ?", (str(path),))

    def export_to(self, path: Path, passphrase: str) -> None:
        """Write all tables into a SQLCipher file of its own, which its passphrase opens."""
        with self._lock, cipher.errors(self.path):
            self._connection.execute("ATTACH DATABASE ? AS exported KEY ?", (str(path), passphrase))
            try:
                self._connection.execute("SELECT sqlcipher_export('exported')")
                self._connection.execute(f"PRAGMA exported.user_version = {self.version}")
            finally:
                self._connection.execute("DETACH DATABASE exported")

    def check(self) -> None:
        """Read every page, and compare tables with their indexes.

        Raises:
            ProfileFileError: something does not match.
        """
        with self._lock, cipher.errors(self.path):
            # The next check reads the file and not the log, which may hold newer pages.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            damaged = self._connection.execute("PRAGMA cipher_integrity_check").fetchall()
            if not damaged:
                found = self._connection.execute("PRAGMA integrity_check").fetchall()
                damaged = [row for row in found if row[0] != "ok"]
            broken = damaged or self._connection.execute("PRAGMA foreign_key_check").fetchall()
        if broken:
            raise ProfileFileError(
                f"{self.path} is damaged: {len(broken):,} checks failed. Nothing was changed.",
                "Restore it from a backup.",
            )

    def close(self) -> None:
        """Close; what was committed is on the disk already."""
        with self._lock, cipher.errors(self.path):
            self._connection.close()

    def _migrate(self) -> None:
        steps = migrations()
        if self.version > len(steps):
            raise ProfileFileError(
                f"This profile was written by a newer CoSteer (schema {self.version}; this one "
                f"knows {len(steps)}). Nothing was changed.",
                "Update CoSteer.",
            )
        while self.version < len(steps):
            with self.write() as connection:
                done = self.version  # another process may have been faster
                for statement in statements(steps[done]) if done < len(steps) else ():
                    connection.execute(statement)
                if done < len(steps):
                    connection.execute(f"PRAGMA user_version = {done + 1}")


def migrations() -> list[str]:
    """The SQL of all migrations, in order."""
    folder = resources.files("costeer.profile") / "migrations"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=_name)
    return [file.read_text("utf-8") for file in files]


def _name(file: Any) -> str:
    return str(file.name)


def statements(script: str) -> Iterator[str]:
    """The single statements of a script; ``executescript`` would end the transaction."""
    complete = cipher.driver().complete_statement
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if complete(statement):
            yield statement
            statement = ""
