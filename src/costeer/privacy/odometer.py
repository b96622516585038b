"""How much evidence about the person has left the device, over all answers there ever were.

One number, L of ``decoding.cap``, for all contexts, conversations and clouds together: the ratio of
everything that all clouds have seen telescopes just as that of one answer does, so clouds that talk
to each other learn no more. It is private itself, and stays in the person's folder or profile.

Written ahead: before a token is drawn, a range in which L will be after it is on the disk. After a
crash L is only known to lie in that range, and both ends are kept within the cap.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from costeer.exceptions import BudgetBusyError, GuardError
from costeer.privacy.spent_file import SpentFile

AHEAD = 0.25
"""Nats reserved on both sides beyond what the next token needs, so that not every token has to
wait for the disk; after a crash as much more counts as spent."""

PATIENCE = 600.0
"""Seconds that an answer waits for another one that spends."""

_PAUSE = 0.05


class Spent(Protocol):
    """Where the range is kept."""

    @property
    def lock_path(self) -> Path:
        """A file that is locked while an answer spends."""

    def read(self) -> tuple[float, float]:
        """Nats, lowest and highest; an error where they are not known."""

    def write(self, low: float, high: float) -> None:
        """Keep this range; on the disk when it returns."""


class Odometer:
    """L, known to lie between ``low`` and ``high``; nats.

    Args:
        spent: where it is kept; a file of the private folder by default.

    Raises:
        CoSteerError: what has been spent cannot be read.
    """

    def __init__(self, spent: Spent | None = None) -> None:
        self._spent = SpentFile() if spent is None else spent
        self._lock: int | None = None
        self._holder: tuple[int, int] | None = None  # the process and the thread that have it
        self._read()

    def reserve(self, least: float, most: float, limit: float) -> None:
        """Write ahead that the next token changes L by something from ``least`` to ``most``.

        Args:
            least: at most 0; nats.
            most: at least 0; nats.
            limit: what |L| will not pass.

        Raises:
            BudgetBusyError: this process was forked from the one that has taken it.
        """
        if self._holder is not None and self._holder[0] != os.getpid():
            raise _busy()  # a fork of the process that has it, which spends by itself
        low, high = self.low + least, self.high + most
        if low < self._written[0] or high > self._written[1]:
            self._write(max(low - AHEAD, min(low, -limit)), min(high + AHEAD, max(high, limit)))

    def add(self, nats: float) -> None:
        """The token has been drawn; ``release`` writes it down."""
        self.low += nats
        self.high += nats

    def acquire(
        self, pause: Callable[[float], object] = time.sleep, patience: float = PATIENCE
    ) -> None:
        """Take it for one answer; waits for another that has it.

        Args:
            pause: waits for as many seconds, or raises to give up.
            patience: seconds to wait at most.

        Raises:
            BudgetBusyError: the other answer does not end, or is this thread's own.
        """
        if self._holder == _here():
            raise _busy()
        deadline = time.monotonic() + patience
        while (handle := _open_locked(self._spent.lock_path)) is None:
            if time.monotonic() >= deadline:
                raise _busy()
            pause(_PAUSE)
        self._lock, self._holder = handle, _here()
        try:
            self._read()
        except BaseException:
            self._unlock()
            raise

    def release(self) -> None:
        """The answer is over: write down what it has really spent."""
        if self._holder is not None and self._holder[0] == os.getpid():
            try:
                self._write(self.low, self.high)
            finally:
                self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            handle, self._lock, self._holder = self._lock, None, None
            os.close(handle)

    def _write(self, low: float, high: float) -> None:
        self._spent.write(low, high)
        self._written = low, high

    def _read(self) -> None:
        self.low, self.high = self._written = self._spent.read()


def forget_spent(spent: Spent | None = None) -> None:
    """Start again from nothing, also where what has been spent is not known.

    Raises:
        BudgetBusyError: an answer is spending from it.
    """
    spent = SpentFile() if spent is None else spent
    handle = _open_locked(spent.lock_path)
    if handle is None:
        raise _busy()
    try:
        spent.write(0.0, 0.0)
    finally:
        os.close(handle)


def _busy() -> BudgetBusyError:
    return BudgetBusyError(
        "Another answer is spending from the same budget.", "Wait until it has ended."
    )


def _here() -> tuple[int, int]:
    return os.getpid(), threading.get_ident()


def _open_locked(path: Path) -> int | None:
    """A handle on a file that is locked with it; None where somebody else has locked it.

    Raises:
        GuardError: the folder refuses.
    """
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise GuardError(
            f"{path} cannot be opened ({error.strerror}), so nothing can be spent.",
            "Make its folder writable.",
        ) from None
    try:
        _lock(handle)
    except OSError:
        os.close(handle)
        return None
    return handle


def _lock(handle: int) -> None:
    """Lock a file against other processes and other odometers; OSError where it is taken."""
    if os.name == "nt":
        import msvcrt

        # Type checkers on other systems know no msvcrt.locking.
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined,unused-ignore]
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
