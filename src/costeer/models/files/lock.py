"""A lock file for one process at a time, which the operating system releases on any exit.

Knows nothing about models. The empty file stays behind on purpose: removing it would let two
processes hold the lock on two different files of the same name.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if sys.platform == "win32":
    import msvcrt

    def _acquire(handle: int) -> None:
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
else:
    import fcntl

    def _acquire(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class LockedError(Exception):
    """Another process holds the lock; the caller translates this for the user."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at ``path`` within the block.

    Raises:
        LockedError: another process (or thread) holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _acquire(handle)
        except (BlockingIOError, PermissionError):  # the latter on Windows
            raise LockedError from None
        yield
    finally:
        os.close(handle)
