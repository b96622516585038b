"""What the tests of profiles share."""

from keyring.backend import KeyringBackend

from costeer.profile.keys import Argon2

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
