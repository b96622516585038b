"""The key file beside a database: its key, sealed once for every way to open it.

Ways are "passphrase", "recovery" (the code shown when the profile was made) and "keyring" (a random
key that lies in the system's keyring). So a passphrase is changed without writing the database
again, and without this file nothing opens it. Knows nothing of the database but its salt.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from costeer.exceptions import ProfileFileError, ProfileKeyError
from costeer.profile import files, keys
from costeer.profile.keys import Argon2, Sealed

FORMAT = 1
Way = Literal["passphrase", "recovery", "keyring"]
WRONG: dict[str, tuple[str, str]] = {
    "passphrase": (
        "The passphrase is wrong.",
        "Try again; with the recovery code: costeer profile passphrase --recovery.",
    ),
    "recovery": ("The recovery code is wrong.", "It has eight groups of four characters."),
    "keyring": (
        "The key in the system's keyring does not open this profile.",
        "Use the passphrase (costeer profile unlock).",
    ),
}


@dataclass(frozen=True, slots=True)
class Lock:
    """The database's key, sealed for one way; ``salt`` is empty where no secret is typed."""

    sealed: Sealed
    salt: bytes = b""
    params: Argon2 = field(default_factory=Argon2)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """All of the file's content.

    ``id`` names the entry in the keyring; ``database_salt`` tells which database it belongs to.
    """

    id: str
    database_salt: bytes
    locks: Mapping[str, Lock]

    def open_by_secret(self, way: Way, secret: str) -> bytes:
        """The database's key, by a passphrase or the recovery code.

        Raises:
            ProfileKeyError: the secret is wrong.
        """
        lock = self._lock(way)
        return self._unseal(way, keys.derive(secret, lock.salt, lock.params))

    def open_by_key(self, way: Way, key: bytes) -> bytes:
        """The database's key, by a key; raises ProfileKeyError as above."""
        return self._unseal(way, key)

    def with_secret(self, way: Way, secret: str, key: bytes, params: Argon2) -> KeyFile:
        """The file with the database's ``key`` sealed by another passphrase or code."""
        salt = secrets.token_bytes(16)
        sealed = keys.seal(key, keys.derive(secret, salt, params), self._bound(way))
        return self._with(way, Lock(sealed, salt, params))

    def with_key(self, way: Way, by: bytes, key: bytes) -> KeyFile:
        """The file with the database's ``key`` sealed by another key."""
        return self._with(way, Lock(keys.seal(key, by, self._bound(way))))

    def without(self, way: Way) -> KeyFile:
        """The file with one way less."""
        return replace(self, locks={name: lock for name, lock in self.locks.items() if name != way})

    def _with(self, way: Way, lock: Lock) -> KeyFile:
        return replace(self, locks={**self.locks, way: lock})

    def _lock(self, way: Way) -> Lock:
        if way not in self.locks:
            raise ProfileKeyError(f"This profile cannot be opened by {way}.")
        return self.locks[way]

    def _unseal(self, way: Way, by: bytes) -> bytes:
        try:
            return keys.unseal(self._lock(way).sealed, by, self._bound(way))
        except ProfileKeyError:
            raise ProfileKeyError(*WRONG[way]) from None

    def _bound(self, way: Way) -> bytes:
        return f"costeer profile {FORMAT} {self.id} {way}".encode()


def new(database_salt: bytes) -> KeyFile:
    """A key file that nothing opens yet."""
    return KeyFile(secrets.token_hex(8), database_salt, {})


def load(path: Path) -> KeyFile:
    """Read a key file.

    Raises:
        ProfileFileError: missing, not a key file, or of a newer version.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise ProfileFileError(
            f"The profile's key file is missing: {path}. Without it nothing opens the profile.",
            "Restore it from a backup.",
        ) from None
    try:
        content = json.loads(raw)
        if content["format"] > FORMAT:
            raise ProfileFileError(f"{path} was written by a newer CoSteer.", "Update CoSteer.")
        locks = {str(way): _read_lock(fields) for way, fields in content["locks"].items()}
        return KeyFile(str(content["id"]), bytes.fromhex(content["database_salt"]), locks)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ProfileFileError(
            f"{path} is damaged: it is no key file.", "Restore it from a backup."
        ) from None


def dump(file: KeyFile) -> str:
    """The file's text."""
    content = {
        "format": FORMAT,
        "id": file.id,
        "database_salt": file.database_salt.hex(),
        "locks": {way: _write_lock(lock) for way, lock in file.locks.items()},
    }
    return json.dumps(content, indent=2) + "\n"


def save(file: KeyFile, path: Path) -> None:
    """Exchange the file on the disk."""
    files.replace(path, dump(file))


def _write_lock(lock: Lock) -> dict[str, Any]:
    fields: dict[str, Any] = {"sealed": keys.to_json(lock.sealed)}
    if lock.salt:
        fields |= {"argon2id": asdict(lock.params), "salt": lock.salt.hex()}
    return fields


def _read_lock(fields: Mapping[str, Any]) -> Lock:
    sealed = keys.from_json(fields["sealed"])
    if "salt" not in fields:
        return Lock(sealed)
    numbers = {name: int(value) for name, value in fields["argon2id"].items()}
    return Lock(sealed, bytes.fromhex(fields["salt"]), Argon2(**numbers))
