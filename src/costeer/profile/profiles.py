"""Profiles by name: a folder each, with a key file and an encrypted database.

The folder of all is ``COSTEER_PROFILES``, or the platform's folder for the user's data. A profile
is made under another name and appears whole, and nothing is ever overwritten. Knows nothing of
terminals: the caller supplies passphrases.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from costeer.exceptions import InputError, ProfileFileError, ProfileKeyError
from costeer.profile import cipher, files, keyfile, keyring_entry, keys
from costeer.profile.conversations import Conversations
from costeer.profile.database import Database
from costeer.profile.guarded_values import GuardedValues
from costeer.profile.keyfile import Way
from costeer.profile.keys import Argon2
from costeer.profile.records import PINNED, WRITTEN
from costeer.profile.selection import Chosen, Selection
from costeer.profile.spent import ProfileSpent, mark_restored
from costeer.profile.store import Store
from costeer.profile.traces import Traces

DATABASE, KEYS = "profile.db", "key.json"
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_RESERVED = re.compile(r"con|prn|aux|nul|com\d|lpt\d")  # on Windows


def home() -> Path:
    """The folder of all profiles."""
    chosen = os.environ.get("COSTEER_PROFILES")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("costeer") / "profiles"


def names() -> list[str]:
    """The profiles there are."""
    folder = home()
    found = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in found if (path / KEYS).is_file() and _is_name(path.name))


def folder_of(name: str) -> Path:
    """Where a profile of this name lies, or would lie.

    Raises:
        InputError: that is no name.
    """
    if not _is_name(name):
        raise InputError(
            f"{name!r} is no name for a profile.",
            "Use up to 32 small letters, digits, hyphens and underscores.",
        )
    return home() / name


def _is_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and not _RESERVED.fullmatch(name)


@dataclass(slots=True)
class Profile:
    """An open profile: its records, its conversations, and what protects them."""

    name: str
    database: Database
    records: Store = field(init=False)
    conversations: Conversations = field(init=False)
    traces: Traces = field(init=False)
    guarded: GuardedValues = field(init=False)
    spent: ProfileSpent = field(init=False)

    def __post_init__(self) -> None:
        self.records = Store(self.database)
        self.conversations = Conversations(self.database)
        self.traces = Traces(self.database)
        self.guarded = GuardedValues(self.database)
        self.spent = ProfileSpent(self.name, self.database)

    def select(self, selection: Selection, question: str) -> Chosen:
        """Let a conversation's selection take in a question; what that added."""
        about = self.records.search(question, kinds=PINNED)
        written = self.records.search(question, kinds=WRITTEN, shared=2)
        return selection.ask(self.records.pinned(), [*about, *written])

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Profile:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def create(name: str, passphrase: str, params: Argon2 | None = None) -> str:
    """Make an empty profile.

    Args:
        name: of the profile.
        passphrase: which opens it; at least 8 characters.
        params: of Argon2id, for tests.

    Returns:
        The recovery code. It is kept nowhere.

    Raises:
        InputError: such a profile exists, or name or passphrase will not do.
        ProfileSpaceError: the disk is full.
    """
    passphrase = keys.check_passphrase(passphrase)
    folder, params = folder_of(name), params or Argon2()
    key, code = keys.new_key(), keys.new_recovery_code()
    files.make_folder(folder.parent)
    with files.new_folder(folder) as partial:
        Database.create(partial / DATABASE, key).close()
        file = keyfile.new(cipher.read_salt(partial / DATABASE))
        file = file.with_secret("passphrase", passphrase, key, params)
        file = file.with_secret("recovery", code, key, params)
        files.write_private(partial / KEYS, keyfile.dump(file))
    return code


def restore(name: str, backup: Path) -> None:
    """Make a profile of a backup's folder; the backup's passphrase opens it.

    What was spent of a budget since the backup is not known to it (``profile.spent``).

    Raises:
        InputError: such a profile exists.
        ProfileFileError: the folder is no backup.
    """
    folder = folder_of(name)
    keyfile.load(backup / KEYS)
    if not (backup / DATABASE).is_file():
        raise ProfileFileError(f"There is no database in {backup}.", "Give a backup's folder.")
    files.make_folder(folder.parent)
    with files.new_folder(folder) as partial:
        for file in (KEYS, DATABASE):
            shutil.copyfile(backup / file, partial / file)
            cipher.make_private(partial / file)
        mark_restored(partial)


def open_by_secret(name: str, secret: str, way: Way = "passphrase") -> Profile:
    """Open a profile by its passphrase or recovery code.

    Raises:
        InputError: there is no such profile.
        ProfileKeyError: the secret is wrong.
        ProfileFileError: a file is missing, damaged, or not encrypted.
    """
    return _open(name, read_key(name, secret, way))


def open_by_keyring(name: str) -> Profile | None:
    """Open a profile by the system's keyring; None if the key is not in it, or is another one's.

    Raises:
        NoKeyring: the keyring cannot be used.
        ProfileError: as ``open_by_secret``.
    """
    file = keyfile.load(find(name) / KEYS)
    if "keyring" not in file.locks:
        return None
    entry = keyring_entry.read(file.id)
    if entry is None:
        return None
    try:
        key = file.open_by_key("keyring", entry)
    except ProfileKeyError:  # a restored copy of this profile has put its own there
        return None
    return _open(name, key)


def read_key(name: str, secret: str, way: Way = "passphrase") -> bytes:
    """The key of a profile's database; errors as ``open_by_secret``."""
    if way == "recovery":
        secret = keys.read_recovery_code(secret)
    return keyfile.load(find(name) / KEYS).open_by_secret(way, secret)


def unlock(name: str, key: bytes) -> None:
    """Let the system's keyring open a profile from now on.

    Raises:
        NoKeyring: the keyring cannot be used.
    """
    path = find(name) / KEYS
    file, entry = keyfile.load(path), keys.new_key()
    keyring_entry.write(file.id, entry)
    keyfile.save(file.with_key("keyring", entry, key), path)


def lock(name: str) -> None:
    """Ask for the passphrase from now on; works without any key.

    Raises:
        NoKeyring: the entry could not be removed; it opens nothing any more.
    """
    path = find(name) / KEYS
    file = keyfile.load(path)
    if "keyring" in file.locks:
        keyfile.save(file.without("keyring"), path)
        keyring_entry.remove(file.id)


def change_passphrase(name: str, key: bytes, passphrase: str, params: Argon2 | None = None) -> str:
    """Exchange the passphrase and the recovery code; the new code."""
    passphrase = keys.check_passphrase(passphrase)
    path, code, params = find(name) / KEYS, keys.new_recovery_code(), params or Argon2()
    file = keyfile.load(path).with_secret("passphrase", passphrase, key, params)
    keyfile.save(file.with_secret("recovery", code, key, params), path)
    return code


def backup(profile: Profile, target: Path) -> None:
    """Copy a profile, while it is in use, into a new folder.

    Raises:
        InputError: something exists there already.
        ProfileSpaceError: the disk is full.
    """
    source = find(profile.name)
    with files.new_folder(target) as partial:
        profile.database.copy_to(partial / DATABASE)
        cipher.make_private(partial / DATABASE)
        files.write_private(partial / KEYS, (source / KEYS).read_text("utf-8"))


def wipe(name: str) -> None:
    """Remove a profile for good, its key first. Needs no passphrase; backups stay as they are."""
    folder = find(name)
    key_path = folder / KEYS
    entry = ""
    with suppress(ProfileFileError):
        entry = keyfile.load(key_path).id
    with suppress(FileNotFoundError):
        _overwrite(key_path)
        key_path.unlink()
        files.sync(folder)
    shutil.rmtree(folder)
    if entry:
        with suppress(keyring_entry.NoKeyring):
            keyring_entry.remove(entry)


def _overwrite(path: Path) -> None:
    """Zeros over a file's content, which helps where a disk writes in place."""
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())


def find(name: str) -> Path:
    """The folder of a profile that exists; raises InputError if there is none."""
    folder = folder_of(name)
    if not folder.is_dir():
        raise InputError(
            f"There is no profile {name!r} in {home()}.",
            f"Make it: costeer profile init --profile {name}",
        )
    return folder


def _open(name: str, key: bytes) -> Profile:
    folder = find(name)
    cipher.make_private(folder)
    salt = keyfile.load(folder / KEYS).database_salt
    database = Database.open(folder / DATABASE, key, salt)
    return Profile(name, database)
