"""Opening a profile from the command line: who is asked for the passphrase, and in what order.

A file descriptor or file that was named, then the system's keyring, then the person at the
terminal. Never an argument, which every process of the machine can read.
"""

from __future__ import annotations

import getpass
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from costeer.exceptions import InputError, ProfileKeyError

if TYPE_CHECKING:
    from costeer.profile.profiles import Profile

F = TypeVar("F", bound=Callable[..., Any])
FILE_VARIABLE = "COSTEER_PASSPHRASE_FILE"
LONGEST = 4096
"""Bytes of a passphrase."""


_HANDLE = click.option(
    "--passphrase-fd",
    type=int,
    metavar="N",
    help=f"Read the passphrase from this file descriptor. {FILE_VARIABLE} names a file instead."
    " Otherwise the system's keyring is asked, then you.",
)


def access_options(command: F) -> F:
    """--profile, --passphrase-fd."""
    name = click.option(
        "--profile", "name", metavar="NAME", default="default", show_default=True, help="Which one."
    )
    return name(_HANDLE(command))


def optional_access_options(command: F) -> F:
    """--profile, --passphrase-fd, where a command works without a profile, too."""
    name = click.option(
        "--profile", "name", metavar="NAME", help="Of this profile, not of your private folder."
    )
    return name(_HANDLE(command))


def open_profile(name: str, passphrase_fd: int | None = None) -> Profile:
    """Open a profile.

    Raises:
        InputError: there is no such profile.
        ProfileKeyError: wrong passphrase, or nobody to ask.
        ProfileError: its files cannot be used.
    """
    from costeer.profile import profiles
    from costeer.profile.keyring_entry import NoKeyring

    given = given_passphrase(passphrase_fd)
    if given is not None:
        return profiles.open_by_secret(name, given)
    try:
        opened = profiles.open_by_keyring(name)
    except NoKeyring as error:
        click.echo(f"{error} The passphrase opens the profile, too.", err=True)
        opened = None
    return opened or profiles.open_by_secret(name, ask(f"Passphrase of the profile {name}: "))


def read_key(name: str, passphrase_fd: int | None = None) -> bytes:
    """The key of a profile by its passphrase; errors as above."""
    from costeer.profile import profiles

    profiles.find(name)
    given = given_passphrase(passphrase_fd)
    return profiles.read_key(name, ask("Passphrase: ") if given is None else given)


def new_passphrase(passphrase_fd: int | None = None) -> str:
    """The passphrase of a new profile: given, or typed twice.

    Raises:
        InputError: too short, or not twice the same.
        ProfileKeyError: nobody to ask.
    """
    given = given_passphrase(passphrase_fd)
    return _type_twice("New passphrase") if given is None else _check(given)


def second_passphrase(handle: int | None) -> str:
    """Another passphrase than the profile's; never from the environment's file. Errors as above."""
    if handle is None:
        return _type_twice("New passphrase")
    return _check(_read(handle, f"file descriptor {handle}"))


def given_passphrase(passphrase_fd: int | None = None) -> str | None:
    """The passphrase from a file descriptor or a file; None if none was named.

    Raises:
        InputError: it cannot be read.
    """
    if passphrase_fd is not None:
        return _read(passphrase_fd, f"file descriptor {passphrase_fd}")
    path = os.environ.get(FILE_VARIABLE)
    if not path:
        return None
    if os.name == "posix" and Path(path).is_file() and Path(path).stat().st_mode & stat.S_IROTH:
        click.echo(f"Everybody on this machine can read {path}; chmod 600 fixes that.", err=True)
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError as error:
        raise InputError(f"{FILE_VARIABLE} names {path}: {error.strerror}.") from None
    return _read(handle, path)


def ask(prompt: str) -> str:
    """Ask at the terminal, without an echo.

    Raises:
        ProfileKeyError: there is no terminal.
    """
    if not _has_terminal():
        raise ProfileKeyError(
            "The profile needs its passphrase, and there is no terminal to ask at.",
            f"Give --passphrase-fd, or name a file in {FILE_VARIABLE}.",
        )
    try:
        return getpass.getpass(prompt)
    except EOFError:
        raise click.Abort from None


def _type_twice(what: str) -> str:
    typed = _check(ask(f"{what}: "))
    if _check(ask("Once more: ")) != typed:
        raise InputError("That was not the same twice.", "Try again.")
    return typed


def _check(passphrase: str) -> str:
    from costeer.profile.keys import check_passphrase

    return check_passphrase(passphrase)


def _has_terminal() -> bool:
    if os.name != "posix":
        return sys.stdin is not None and sys.stdin.isatty()
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def _read(handle: int, origin: str) -> str:
    """One line, without its end."""
    try:
        with open(handle, "rb") as file:  # a handle
            raw = file.read(LONGEST + 1)
    except OSError as error:
        raise InputError(f"No passphrase can be read from {origin}: {error.strerror}.") from None
    try:
        text = raw.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError:
        raise InputError(f"The passphrase in {origin} is not UTF-8 text.") from None
    if not text or "\n" in text or len(raw) > LONGEST:
        raise InputError(f"The passphrase in {origin} is not one line of text.")
    return text
