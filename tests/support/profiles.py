"""What the tests of profiles share."""

from __future__ import annotations

from typing import Any

from keyring.backend import KeyringBackend

from costeer.profile.keys import Argon2

PASSPHRASE = "eight words are better than one"
FAST = Argon2(memory_kib=64, passes=1, lanes=1)
KEY = bytes(range(32))


class MemoryKeyring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: Any, username: Any) -> Any:
        return self.entries.get((service, username))

    def set_password(self, service: Any, username: Any, password: Any) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: Any, username: Any) -> None:
        del self.entries[service, username]
