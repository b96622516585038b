"""Files that only their owner reads, written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from costeer.exceptions import InputError, ProfileSpaceError


@contextmanager
def disk_errors() -> Iterator[None]:
    """Say it in our words when the disk is full."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)):
            raise ProfileSpaceError(
                "The disk is full; the file was not written.", "Make room and try again."
            ) from None
        raise


def make_folder(path: Path) -> None:
    """A folder for its owner alone; its missing parents too."""
    for folder in reversed([path, *path.parents]):
        if not folder.exists():
            with suppress(FileExistsError):
                folder.mkdir(mode=0o700)


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A path to write to, which appears as ``path`` when the block ends well.

    Raises:
        InputError: something exists there already; nothing is ever overwritten.
        ProfileSpaceError: the disk is full.
    """
    refuse_existing(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with disk_errors():
            os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
            yield partial
            sync(partial)
            try:
                os.link(partial, path)  # unlike a rename, it cannot replace anything
            except FileExistsError:
                refuse_existing(path)
            except OSError:  # a file system without links
                refuse_existing(path)
                partial.rename(path)
            sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """The same for a folder; the system does not rename onto one that holds files."""
    refuse_existing(path)
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with disk_errors():
            partial.mkdir(mode=0o700)
            yield partial
            for file in partial.iterdir():
                sync(file)
            sync(partial)
            try:
                partial.rename(path)
            except OSError:
                refuse_existing(path)
                raise
            sync(path.parent)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def replace(path: Path, text: str) -> None:
    """Exchange a small file for another one; a crash leaves the old one or the new one."""
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with disk_errors():
            write_private(partial, text)
            partial.replace(path)
            sync(path.parent)
    finally:
        partial.unlink(missing_ok=True)


def write_private(path: Path, text: str) -> None:
    """Write a new file, down to the disk."""
    handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(handle, "w", encoding="utf-8", newline="\n") as file:  # noqa: PTH123  # a handle
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def refuse_existing(path: Path) -> None:
    """Raise InputError if there is something at ``path``, or no folder to put it in."""
    if os.path.lexists(path):
        raise InputError(f"{path} exists already; nothing is overwritten.", "Give another name.")
    if not path.parent.is_dir():
        raise InputError(f"There is no folder {path.parent}.", "Make it first.")


def sync(path: Path) -> None:
    """Wait until the disk has it. Windows cannot open folders for that."""
    if os.name != "posix" and path.is_dir():
        return
    handle = os.open(path, os.O_RDONLY if path.is_dir() else os.O_RDWR)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
