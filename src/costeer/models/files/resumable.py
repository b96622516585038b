"""A model file that grows on disk part by part, and survives being killed at any moment.

Beside ``NAME.partial`` lies ``NAME.partial.json``: how many parts are in, how many bytes that is,
and their SHA-256. The note is replaced only after its bytes are on the disk, so that whatever
follows the noted length is rubbish from a part cut short and is cut off on opening. Knows nothing
of where parts come from.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO, Protocol

from costeer.exceptions import ModelFileError

BLOCK = 1 << 20


class Disk(Protocol):
    """What is asked of the disk; tests give one that is full."""

    def free(self, folder: Path) -> int:
        """Bytes that may still be written into ``folder``."""
        ...

    def append(self, path: Path) -> BinaryIO:
        """Open for appending."""
        ...


class RealDisk:
    """The disk of this machine."""

    def free(self, folder: Path) -> int:
        """Bytes free for this user."""
        return shutil.disk_usage(folder).free

    def append(self, path: Path) -> BinaryIO:
        """Open for appending."""
        return path.open("ab")


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """The rest of a file, a megabyte at a time."""
    while block := file.read(BLOCK):
        yield block


def hash_file(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in blocks(file):
            digest.update(block)
    return digest.hexdigest()


def put_in_place(path: Path, target: Path) -> None:
    """Give a finished file or folder its name, in one step that a crash cannot halve."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    path.replace(target)


class Partial:
    """The growing file.

    Args:
        path: ``NAME.partial``.
        plan: names what is being put together; a partial of another plan is thrown away.
        disk: where to.
    """

    def __init__(self, path: Path, plan: str, disk: Disk) -> None:
        self.path = path
        self.parts = 0
        self.size = 0
        self._note = path.with_name(f"{path.name}.json")
        self._plan = plan
        self._disk = disk
        self._digest = hashlib.sha256()
        self._resume()

    @property
    def sha256(self) -> str:
        """Of everything in it, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, data: Iterable[bytes], limit: int | None = None) -> None:
        """Append one part; it counts once this returns.

        Args:
            data: the part, in pieces.
            limit: the most bytes the whole file may come to.

        Raises:
            ModelFileError: the limit is passed.
            OSError: the disk is full; what was there before the part is kept.
        """
        digest, size = self._digest.copy(), self.size
        self._cut()
        with self._disk.append(self.path) as file:
            for piece in data:
                size += len(piece)
                if limit is not None and size > limit:
                    raise ModelFileError(f"The download is longer than the {limit} bytes expected.")
                file.write(piece)
                digest.update(piece)
            file.flush()
            os.fsync(file.fileno())
        self._digest, self.size, self.parts = digest, size, self.parts + 1
        self._write_note()

    def finish(self, target: Path) -> None:
        """Move it to its final name and drop the note."""
        put_in_place(self.path, target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove it from the disk."""
        self._note.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)

    def _resume(self) -> None:
        parts, size, expected = self._read_note()
        if size and self.path.is_file() and self.path.stat().st_size >= size:
            with self.path.open("rb+") as file:
                file.truncate(size)
                for block in blocks(file):
                    self._digest.update(block)
            if self.sha256 == expected:
                self.parts, self.size = parts, size
                return
        self._digest = hashlib.sha256()
        self.discard()

    def _cut(self) -> None:
        """Drop what a part cut short has left."""
        if self.path.is_file():
            os.truncate(self.path, self.size)

    def _read_note(self) -> tuple[int, int, str]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            note = json.loads(self._note.read_text("utf-8"))
            if note["plan"] == self._plan:
                return int(note["parts"]), int(note["bytes"]), str(note["sha256"])
        return 0, 0, ""

    def _write_note(self) -> None:
        note = {
            "plan": self._plan,
            "parts": self.parts,
            "bytes": self.size,
            "sha256": self.sha256,
        }
        fresh = self._note.with_name(f"{self._note.name}.new")
        fresh.write_text(json.dumps(note), "utf-8")
        fresh.replace(self._note)
