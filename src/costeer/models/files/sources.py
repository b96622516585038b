"""The interface of a source of model files, and the description of one download.

There are two sources, ``hub`` and ``mirror``; ``fetch`` decides which to prefer.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from costeer.exceptions import FetchError, ModelFileError
from costeer.models.files.catalog import ModelSpec
from costeer.models.files.resumable import Disk

Progress = Callable[[int, int, str], None]
"""``(bytes done, bytes in total or 0 if unknown, current activity)``."""


class SourceError(FetchError):
    """One source failed; another may work. ``fetch`` does not let this out."""


@dataclass(slots=True)
class Download:
    """One download: the model, its target, and the progress callback."""

    spec: ModelSpec
    target: Path
    disk: Disk
    progress: Progress | None = None
    _done: int = field(default=0, init=False)

    def beside(self, ending: str) -> Path:
        """Return a path beside the target for a file that belongs to the download."""
        return self.target.with_name(f"{self.target.name}.{ending}")

    def report(self, done: int, what: str) -> None:
        """Report progress, which never decreases although bytes in flight are an estimate."""
        self._done = max(self._done, min(done, self.spec.size or done))
        if self.progress is not None:
            self.progress(self._done, self.spec.size or 0, what)


class Source(Protocol):
    """A place to download model files from."""

    @property
    def name(self) -> str:
        """``hub`` or ``mirror``."""
        ...

    def offers(self, spec: ModelSpec) -> bool:
        """Return whether the catalog lists this model at the source."""
        ...

    def room(self, download: Download) -> int:
        """Return the disk space that the rest of the download needs; 0 if that is not known."""
        ...

    def fetch(self, download: Download) -> None:
        """Download the model to ``download.target`` and verify it.

        Raises:
            SourceError: this source cannot be used; another may work.
            ModelFileError: it gave another file than the pinned one; that file is removed.
            OSError: a disk error; what has arrived is kept.
        """
        ...


def check(spec: ModelSpec, size: int, sha256: str) -> None:
    """Compare a file with the catalog.

    Raises:
        ModelFileError: size or hash differ.
    """
    if spec.size is not None and size != spec.size:
        raise ModelFileError(f"The file of {spec.name} has {size} bytes instead of {spec.size}.")
    if spec.sha256 is not None and sha256 != spec.sha256:
        raise ModelFileError(
            f"The file of {spec.name} has SHA-256 {sha256[:12]}… instead of {spec.sha256[:12]}…."
        )


def size_of(folder: Path) -> int:
    """Sum the bytes in the files below ``folder``, which may change meanwhile."""
    return sum(_sizes(folder))


def largest_in(folder: Path) -> int:
    """Return the size of the largest file below ``folder``, which may change meanwhile."""
    return max(_sizes(folder), default=0)


def _sizes(folder: Path) -> Iterator[int]:
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # removed since it was listed
                yield (Path(root) / name).stat().st_size


def last_line(stderr: str) -> str:
    """Return the most telling line of a program's stderr: its last error, else its last line."""
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?i)error\b", line)]
    line = (errors or lines or ["no reason given"])[-1]
    return re.sub(r"(?i)^error:\s*", "", line)
