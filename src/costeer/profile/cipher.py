"""An encrypted SQLite file, opened with a raw key; and what its errors mean.

The format is SQLCipher 4 (https://www.zetetic.net/sqlcipher/design/): AES-256 and an HMAC for each
page of 4 kB. The first 16 bytes of a file are its salt, in the clear and never changed. Knows
nothing of where the key comes from or of what the tables hold. No error quotes SQL or data.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costeer.exceptions import (
    MissingDependencyError,
    ProfileBusyError,
    ProfileError,
    ProfileFileError,
    ProfileKeyError,
    ProfileSpaceError,
)

SALT_BYTES = 16
PLAIN = b"SQLite format 3\0"
PAGE = 4096
# Primary result codes, https://www.sqlite.org/rescode.html
BUSY, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB = 5, 8, 10, 11, 13, 14, 26
BUSY_MS = 5000

Connection = Any
"""``sqlcipher3.dbapi2.Connection``; the package ships no types."""


def driver() -> Any:
    """The module ``sqlcipher3.dbapi2``.

    Raises:
        MissingDependencyError: it is not installed.
    """
    try:
        from sqlcipher3 import dbapi2
    except ImportError:
        raise MissingDependencyError(
            "Profiles need the package sqlcipher3.",
            'Install it: pip install "costeer[profile]".',
        ) from None
    return dbapi2


def read_salt(path: Path) -> bytes:
    """The salt of a file, which tells databases apart without a key."""
    with path.open("rb") as file:
        return file.read(SALT_BYTES)


def create(path: Path, key: bytes) -> Connection:
    """Make a new database, readable for its owner alone.

    Raises:
        FileExistsError: there is a file already.
        ProfileSpaceError: the disk is full.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    return _connect(path, key)


def create_in_memory() -> Connection:
    """Make a database that no file holds; it ends with its connection."""
    connection = driver().connect(":memory:", isolation_level=None, check_same_thread=False)
    for setting in ("temp_store = MEMORY", "foreign_keys = ON", "trusted_schema = OFF"):
        connection.execute(f"PRAGMA {setting}")
    return connection


def open_existing(path: Path, key: bytes, salt: bytes) -> Connection:
    """Open a database that exists.

    Args:
        path: the file.
        key: 32 bytes.
        salt: the salt that the file must have.

    Raises:
        ProfileFileError: missing, empty, not encrypted, or damaged.
        ProfileKeyError: it was made with another key.
    """
    try:
        found = read_salt(path)
    except FileNotFoundError:
        raise ProfileFileError(
            f"The profile's database is missing: {path}.", "Restore it from a backup."
        ) from None
    if found == PLAIN:
        raise ProfileFileError(
            f"{path} is a plain SQLite file, not an encrypted profile; it was left as it is.",
            "Move it away, and restore the profile from a backup.",
        )
    # A size that is no multiple of a page can be mended from the log; SQLite sees what is missing.
    if path.stat().st_size < PAGE:
        raise ProfileFileError(
            f"{path} is empty or cut off; it was left as it is.", "Restore it from a backup."
        )
    if found != salt:
        raise ProfileKeyError(
            f"{path} does not belong to the key file beside it: it was made with another key.",
            "Restore both files from the same backup.",
        )
    make_private(path)
    return _connect(path, key)


def make_private(path: Path) -> None:
    """Take a file or folder away from everybody but its owner. Windows has no such modes."""
    if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
        path.chmod(0o700 if path.is_dir() else 0o600)


def _connect(path: Path, key: bytes) -> Connection:
    """Open with the key, and read the first page.

    The first page is right by its HMAC only if the key is right and the page whole.
    """
    sqlite = driver()
    with errors(path):
        connection = sqlite.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
            timeout=BUSY_MS / 1000,
        )
    try:
        with errors(path):
            connection.execute("PRAGMA cipher_log_level = NONE")  # it would write to stderr
            connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA cache_size = -65536")  # 64 MB: pages are costly to decrypt
            connection.execute("PRAGMA secure_delete = ON")
            connection.execute("PRAGMA trusted_schema = OFF")
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def errors(path: Path) -> Iterator[None]:
    """Put errors of the database into ours, without what they quote."""
    sqlite = driver()
    try:
        yield
    except (sqlite.DatabaseError, sqlite.InterfaceError) as error:
        if isinstance(error, sqlite.IntegrityError):
            raise
        raise _translate(error, path) from None


def _translate(error: Any, path: Path) -> ProfileError:
    if isinstance(error, driver().ProgrammingError):
        return ProfileError("The profile has been closed.")
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code not in _MEANINGS:
        return ProfileError(f"The database failed ({type(error).__name__}, code {code}).")
    kind, message, hint = _MEANINGS[code]
    return kind(message.format(path=path), hint)


_DAMAGED = (
    ProfileFileError,
    "{path} is damaged: a page does not match its checksum. Nothing was changed.",
    "Restore it from a backup.",
)
_CLOSED = (
    ProfileSpaceError,
    "{path} cannot be opened for writing.",
    "Check who owns it and its folder.",
)
_MEANINGS: dict[int, tuple[type[ProfileError], str, str]] = {
    NOTADB: _DAMAGED,
    CORRUPT: _DAMAGED,
    FULL: (
        ProfileSpaceError,
        "The disk is full; the change was not made, and what was stored before is untouched.",
        "Make room and try again.",
    ),
    IOERR: (
        ProfileSpaceError,
        "The disk refuses to read or write {path}; the change was not made.",
        "Check its space, quota and health, and try again.",
    ),
    BUSY: (
        ProfileBusyError,
        "Another process is writing to this profile.",
        "Try again when it has finished.",
    ),
    READONLY: _CLOSED,
    CANTOPEN: _CLOSED,
}
