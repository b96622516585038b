"""For the tests of profiles: none of them touches the system's keyring or the user's own folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pytest
from keyring.backends.fail import Keyring as NoBackend

from costeer.profile import profiles
from costeer.profile.database import Database
from costeer.profile.store import Store
from tests.support.profiles import FAST, KEY, PASSPHRASE, MemoryKeyring


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A folder of profiles, and a machine without a keyring."""
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    monkeypatch.delenv("COSTEER_PASSPHRASE_FILE", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(NoBackend())
    yield tmp_path / "profiles"
    keyring.set_keyring(before)


@pytest.fixture
def memory_keyring(home: Any) -> Any:
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Any]:
    database = Database.create(tmp_path / "one.db", KEY)
    yield database
    database.close()


@pytest.fixture
def store(database: Any) -> Any:
    return Store(database)


@pytest.fixture
def make(home: Any) -> Iterator[Any]:
    """Make and open a profile."""
    opened = []

    def make(name: Any = "default") -> Any:
        profiles.create(name, PASSPHRASE, FAST)
        opened.append(profiles.open_by_secret(name, PASSPHRASE))
        return opened[-1]

    yield make
    for profile in opened:
        profile.close()


@pytest.fixture
def command(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Any) -> Any:
    """Run ``costeer profile ...`` with the passphrase in a file; (exit code, stdout, stderr)."""
    monkeypatch.setenv("COSTEER_PROFILES", str(home))
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("COSTEER_PASSPHRASE_FILE", str(file))
    return lambda *arguments: run("profile", *arguments)


@pytest.fixture
def profile_command(command: Any) -> Any:
    """The same, with a profile that exists."""
    profiles.create("default", PASSPHRASE, FAST)
    return command
