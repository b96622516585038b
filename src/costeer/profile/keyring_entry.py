"""An entry in the system's keyring, asked with a limit of three seconds.

A locked keyring may wait for a dialogue that nobody sees, so every call runs in a thread that is
given up. Backends that keep entries in the clear, or nowhere, are not used. Knows nothing of what
the entry is for.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import Any, TypeVar

T = TypeVar("T")
SERVICE = "costeer"
PATIENCE = 3.0
"""Seconds."""
_UNSAFE = ("keyrings.alt.", "keyring.backends.null", "keyring.backends.fail")


class NoKeyring(Exception):
    """The keyring cannot be used; the text says why. A state, which the caller handles."""


def read(entry: str, patience: float = PATIENCE) -> bytes | None:
    """The key under a name; None if there is none.

    Raises:
        NoKeyring: there is no keyring, or it does not answer.
    """
    found = _ask(lambda keyring: keyring.get_password(SERVICE, entry), patience)
    try:
        return bytes.fromhex(found) if found else None
    except ValueError:
        return None


def write(entry: str, key: bytes) -> None:
    """Keep a key; raises NoKeyring as above."""
    _ask(lambda keyring: keyring.set_password(SERVICE, entry, key.hex()))


def remove(entry: str) -> None:
    """Remove a key; it need not be there. Raises NoKeyring as above."""

    def delete(keyring: Any) -> None:
        if keyring.get_password(SERVICE, entry) is not None:
            keyring.delete_password(SERVICE, entry)

    _ask(delete)


def _ask(call: Callable[[Any], T], patience: float = PATIENCE) -> T:
    answer: Future[T] = Future()

    def work() -> None:
        try:
            answer.set_result(call(_usable_keyring()))
        except Exception as error:  # noqa: BLE001  # backends raise anything; handled below
            answer.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    wait([answer], timeout=patience)
    if not answer.done():
        raise NoKeyring(f"The system's keyring did not answer within {patience:g} seconds.")
    error = answer.exception()
    if error is None or isinstance(error, NoKeyring):
        return answer.result()
    raise NoKeyring(f"The system's keyring refuses ({type(error).__name__}).")


def _usable_keyring() -> Any:
    try:
        import keyring
    except ImportError:
        raise NoKeyring("The package keyring is not installed.") from None
    backend = keyring.get_keyring()
    for one in getattr(backend, "backends", None) or [backend]:
        if f"{type(one).__module__}.".startswith(_UNSAFE):
            raise NoKeyring("This system has no keyring that encrypts.")
    return keyring
