"""A model file that is written part by part and survives being killed at any moment.

``NAME.partial.json`` beside ``NAME.partial`` records how many parts and bytes are complete, and
their SHA-256. It is replaced only after the bytes are on the disk, so bytes beyond the recorded
length come from an incomplete part and are cut off when resuming. Knows nothing about where parts
come from.
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
    """The disk operations; tests use a disk that is full."""

    def free(self, folder: Path) -> int:
        """Return how many bytes may still be written into ``folder``."""
        ...

    def append(self, path: Path) -> BinaryIO:
        """Open a file for appending."""
        ...


class RealDisk:
    """The disk of this machine."""

    def free(self, folder: Path) -> int:
        """Return the bytes free for this user."""
        return shutil.disk_usage(folder).free

    def append(self, path: Path) -> BinaryIO:
        """Open a file for appending."""
        return path.open("ab")


def blocks(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the rest of a file, a megabyte at a time."""
    while block := file.read(BLOCK):
        yield block


def hash_file(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        for block in blocks(file):
            digest.update(block)
    return digest.hexdigest()


def put_in_place(path: Path, target: Path) -> None:
    """Give a finished file or folder its name, atomically."""
    if path.is_file():
        with path.open("rb+") as file:
            os.fsync(file.fileno())
    path.replace(target)


class PartialFile:
    """A file that grows part by part.

    Args:
        path: ``NAME.partial``.
        plan: identifies the parts; a partial file of another plan is discarded.
        disk: the disk to write to.
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
        """The SHA-256 of the complete parts, in hexadecimal."""
        return self._digest.hexdigest()

    def append(self, data: Iterable[bytes], limit: int | None = None) -> None:
        """Append one part; it is complete once this returns.

        Args:
            data: the part, in pieces.
            limit: the most bytes the whole file may have.

        Raises:
            ModelFileError: the limit is exceeded.
            OSError: the disk is full; earlier parts are kept.
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
        """Give the file its final name and remove the note."""
        put_in_place(self.path, target)
        self._note.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove the file and its note."""
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
        """Cut off an incomplete part."""
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
