"""The system's keyring: used when it is safe, given up when it is silent."""

from __future__ import annotations

import threading
from typing import Any

import keyring
import pytest
from keyring.backends.null import Keyring as NullBackend

from costeer.profile import keyring_entry
from costeer.profile.keyring_entry import NoKeyring
from tests.support.profiles import KEY, MemoryKeyring


def test_what_is_written_can_be_read_and_removed(memory_keyring: Any) -> None:
    assert keyring_entry.read("one") is None
    keyring_entry.write("one", KEY)
    assert keyring_entry.read("one") == KEY
    keyring_entry.remove("one")
    keyring_entry.remove("one")
    assert memory_keyring.entries == {}


def test_no_keyring() -> None:
    with pytest.raises(NoKeyring, match="no keyring"):
        keyring_entry.read("one")


def test_a_keyring_that_keeps_nothing_is_not_used() -> None:
    keyring.set_keyring(NullBackend())
    with pytest.raises(NoKeyring):
        keyring_entry.write("one", KEY)


def test_a_keyring_that_keeps_entries_in_the_clear_is_not_used() -> None:
    plain = type("PlaintextKeyring", (MemoryKeyring,), {"__module__": "keyrings.alt.file"})()
    keyring.set_keyring(plain)
    with pytest.raises(NoKeyring):
        keyring_entry.write("one", KEY)
    assert plain.entries == {}


def test_a_locked_keyring_that_never_answers_is_given_up() -> None:
    answered = threading.Event()

    class Locked(MemoryKeyring):
        def get_password(self, service: Any, username: Any) -> None:
            answered.wait(60)

    keyring.set_keyring(Locked())
    with pytest.raises(NoKeyring, match="did not answer"):
        keyring_entry.read("one", patience=0.05)
    answered.set()


def test_a_failing_backend_s_words_are_not_repeated() -> None:
    class Failing(MemoryKeyring):
        def get_password(self, service: Any, username: Any) -> None:
            raise RuntimeError("secret")

    keyring.set_keyring(Failing())
    with pytest.raises(NoKeyring, match="RuntimeError") as caught:
        keyring_entry.read("one")
    assert "secret" not in str(caught.value)


def test_an_entry_that_is_no_key(memory_keyring: Any) -> None:
    memory_keyring.set_password("costeer", "one", "not hexadecimal")
    assert keyring_entry.read("one") is None
