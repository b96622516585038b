"""For the tests of profiles: none of them touches the system's keyring or the user's own folder."""

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends.fail import Keyring as NoBackend

from costeer.profile import profiles
from costeer.profile.database import Database
from costeer.profile.keys import Argon2
from costeer.profile.store import Store

PASSPHRASE = "eight words are better than one"
FAST = Argon2(memory_kib=64, passes=1, lanes=1)
KEY = bytes(range(32))


class MemoryKeyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.entries = {}

    def get_password(self, service, username):
        return self.entries.get((service, username))

    def set_password(self, service, username, password):
        self.entries[service, username] = password

    def delete_password(self, service, username):
        del self.entries[service, username]


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """A folder of profiles, and a machine without a keyring."""
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    monkeypatch.delenv("COSTEER_PASSPHRASE_FILE", raising=False)
    before = keyring.get_keyring()
    keyring.set_keyring(NoBackend())
    yield tmp_path / "profiles"
    keyring.set_keyring(before)


@pytest.fixture
def memory_keyring(home):
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    return backend


@pytest.fixture
def database(tmp_path):
    database = Database.create(tmp_path / "one.db", KEY)
    yield database
    database.close()


@pytest.fixture
def store(database):
    return Store(database)


@pytest.fixture
def make(home):
    """Make and open a profile."""
    opened = []

    def make(name="default"):
        profiles.create(name, PASSPHRASE, FAST)
        opened.append(profiles.open_by_secret(name, PASSPHRASE))
        return opened[-1]

    yield make
    for profile in opened:
        profile.close()


@pytest.fixture
def command(run, monkeypatch, tmp_path, home):
    """Run ``costeer profile ...`` with the passphrase in a file; (exit code, stdout, stderr)."""
    monkeypatch.setenv("COSTEER_PROFILES", str(home))
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE + "\n")
    file.chmod(0o600)
    monkeypatch.setenv("COSTEER_PASSPHRASE_FILE", str(file))
    return lambda *arguments: run("profile", *arguments)


@pytest.fixture
def profile_command(command):
    """The same, with a profile that exists."""
    profiles.create("default", PASSPHRASE, FAST)
    return command
