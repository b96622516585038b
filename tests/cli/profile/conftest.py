"""The fixtures of profiles, for the command line's tests."""

from tests.profile.conftest import command, home, memory_keyring, profile_command  # noqa: F401
