"""What a source of model files is, and what a source is told about one download.

Two exist: ``hub`` and ``mirror``. Knows nothing of which to prefer (``fetch`` does).
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
"""``(bytes done, bytes in total or 0 if unknown, what is being done)``."""


class SourceError(FetchError):
    """One source failed; another may do. Does not leave ``fetch``."""


@dataclass(slots=True)
class Job:
    """One download: what, where to, and whom to tell."""

    spec: ModelSpec
    target: Path
    disk: Disk
    progress: Progress | None = None
    _done: int = field(default=0, init=False)

    def beside(self, ending: str) -> Path:
        """A path for something that belongs to the download, in the same folder."""
        return self.target.with_name(f"{self.target.name}.{ending}")

    def report(self, done: int, what: str) -> None:
        """Tell how far it is. Never runs backwards: bytes in flight are an estimate."""
        self._done = max(self._done, min(done, self.spec.size or done))
        if self.progress is not None:
            self.progress(self._done, self.spec.size or 0, what)


class Source(Protocol):
    """A place that model files come from."""

    @property
    def name(self) -> str:
        """``hub`` or ``mirror``."""
        ...

    def offers(self, spec: ModelSpec) -> bool:
        """Whether the catalog knows this model there."""
        ...

    def room(self, job: Job) -> int:
        """Bytes of free disk that the rest of the download takes; 0 if that is not known."""
        ...

    def fetch(self, job: Job) -> None:
        """Put the verified model at ``job.target``.

        Raises:
            SourceError: this source cannot be used; another may do.
            ModelFileError: it gave another file than the one pinned; that file is removed.
            OSError: the disk; what is here is kept.
        """
        ...


def check(spec: ModelSpec, size: int, sha256: str) -> None:
    """Compare a file with what the catalog pins.

    Raises:
        ModelFileError: it is another file.
    """
    if spec.size is not None and size != spec.size:
        raise ModelFileError(f"The file of {spec.name} has {size} bytes instead of {spec.size}.")
    if spec.sha256 is not None and sha256 != spec.sha256:
        raise ModelFileError(
            f"The file of {spec.name} has SHA-256 {sha256[:12]}… instead of {spec.sha256[:12]}…."
        )


def size_of(folder: Path) -> int:
    """Bytes in the files below ``folder``, whatever is being written or removed there."""
    return sum(_sizes(folder))


def largest_in(folder: Path) -> int:
    """Bytes of the largest file below ``folder``, whatever is being written or removed there."""
    return max(_sizes(folder), default=0)


def _sizes(folder: Path) -> Iterator[int]:
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):  # gone since it was listed
                yield (Path(root) / name).stat().st_size


def last_line(story: str) -> str:
    """The line of a program's complaint that says most: its last error, else its last line."""
    lines = [line.strip() for line in story.splitlines() if line.strip()]
    errors = [line for line in lines if re.match(r"(?i)error\b", line)]
    line = (errors or lines or ["no reason given"])[-1]
    return re.sub(r"(?i)^error:\s*", "", line)
