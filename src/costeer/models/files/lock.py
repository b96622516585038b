"""One process at a time for one name: a lock file that the operating system frees on any exit.

Knows nothing of models. The empty file stays behind on purpose: removing it would let two
processes hold "the" lock on two different files of that name.
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


class Locked(Exception):
    """Somebody else holds the lock: a state, which the caller puts into words."""


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock at ``path``.

    Raises:
        Locked: another process (or thread) holds it.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            _acquire(handle)
        except (BlockingIOError, PermissionError):  # the latter is Windows' way to say it
            raise Locked from None
        yield
    finally:
        os.close(handle)
