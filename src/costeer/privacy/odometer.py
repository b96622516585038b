"""How much evidence about the person has left the device, over all answers there ever were.

One number, L of ``decoding.cap``, for all contexts, conversations and clouds together: the ratio of
everything that all clouds have seen telescopes just as that of one answer does, so clouds that talk
to each other learn no more. It is private itself, and stays in the person's folder.

Written ahead: before a token is drawn, the file holds a range in which L will be after it. After a
crash L is only known to lie in that range, and both ends are kept within the cap.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path

from costeer.exceptions import GuardError
from costeer.privacy.folder import private_folder, read_private, write_private

FILE = "evidence.json"

AHEAD = 0.25
"""Nats reserved on both sides beyond what the next token needs, so that not every token has to
wait for the disk; after a crash as much more counts as spent."""


class Odometer:
    """L, known to lie between ``low`` and ``high``; nats.

    Args:
        folder: the private folder by default.

    Raises:
        GuardError: the file is damaged; starting again from 0 would spend a budget twice.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._path = (folder or private_folder()) / FILE
        self._lock: int | None = None
        self._read()

    def reserve(self, least: float, most: float, limit: float) -> None:
        """Write ahead that the next token changes L by something from ``least`` to ``most``.

        Args:
            least: at most 0; nats.
            most: at least 0; nats.
            limit: what |L| will not pass.
        """
        low, high = self.low + least, self.high + most
        if low < self._written[0] or high > self._written[1]:
            self._write(max(low - AHEAD, min(low, -limit)), min(high + AHEAD, max(high, limit)))

    def add(self, nats: float) -> None:
        """The token has been drawn; ``release`` writes it down."""
        self.low += nats
        self.high += nats

    def acquire(self) -> None:
        """Take it for one answer.

        Raises:
            GuardError: another answer is spending from it.
        """
        self._lock = _open_locked(self._path)
        self._read()

    def release(self) -> None:
        """The answer is over: write down what it has really spent."""
        if self._lock is not None:
            self._write(self.low, self.high)
            os.close(self._lock)
            self._lock = None

    def _write(self, low: float, high: float) -> None:
        write_private(self._path, json.dumps({"low": low, "high": high}))
        self._written = low, high

    def _read(self) -> None:
        text = read_private(self._path)
        try:
            kept = json.loads(text) if text is not None else {"low": 0.0, "high": 0.0}
            self.low, self.high = self._written = float(kept["low"]), float(kept["high"])
            if not (math.isfinite(self.low) and self.low <= self.high < math.inf):
                raise ValueError
        except (ValueError, TypeError, KeyError):
            raise GuardError(
                f"{self._path} is damaged, so what has been spent is not known.",
                "Restore it, or start again with `costeer budget reset`.",
            ) from None


def forget_spent(folder: Path | None = None) -> None:
    """Start again from nothing, also from a damaged file.

    Raises:
        GuardError: an answer is spending from it.
    """
    path = (folder or private_folder()) / FILE
    handle = _open_locked(path)
    try:
        write_private(path, json.dumps({"low": 0.0, "high": 0.0}))
    finally:
        os.close(handle)


def _open_locked(path: Path) -> int:
    handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _lock(handle)
    except OSError:
        os.close(handle)
        raise GuardError(
            "Another answer is spending from the same budget.", "Wait until it has ended."
        ) from None
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
