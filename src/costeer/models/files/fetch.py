"""Get a model onto this machine: choose a source, check the room, keep others out, verify.

Knows nothing of how a source works (``hub``, ``mirror``) or of running a model. A model gets its
name only after it was verified, in one step; until then everything lies beside it under other
names, so that a fetch killed at any moment can be run again and goes on.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from costeer.exceptions import CoSteerError, FetchError, MissingDependencyError, ModelFileError
from costeer.models.files.catalog import ModelSpec, is_fetched, path_of
from costeer.models.files.hub import HubSource
from costeer.models.files.lock import Locked, exclusive
from costeer.models.files.mirror import MirrorSource
from costeer.models.files.resumable import Disk, RealDisk, hash_file
from costeer.models.files.sources import Job, Progress, Source, SourceError, check

Choice = Literal["auto", "hub", "mirror"]

FULL = (errno.ENOSPC, errno.EDQUOT)
INTERRUPTED = 130  # the exit status shells give a program ended by Ctrl-C
MARGIN = 64 * 2**20  # a disk filled to the last byte serves nobody


def fetch(
    spec: ModelSpec,
    *,
    source: Choice = "auto",
    progress: Progress | None = None,
    disk: Disk | None = None,
    sources: Sequence[Source] | None = None,
) -> Path:
    """Download a model unless it is here already, and verify it either way.

    Args:
        spec: which.
        source: ``auto`` tries the hub, then the mirror.
        progress: called with (bytes done, bytes in total or 0, what is being done); some calls
            come from another thread.
        disk: the disk; tests give a full one.
        sources: the sources, in order of preference; the hub and the mirror by default.

    Returns:
        The verified file, or the folder of a transformers model.

    Raises:
        FetchError: no source could be used, no room, another process is at it, or interrupted.
            What has arrived is kept, and fetching again goes on from there.
        ModelFileError: a source gave another file than the pinned one. It is removed.
        MissingDependencyError: the hub was asked for and its package is not installed.
    """
    target = path_of(spec)
    job = Job(spec, target, disk or RealDisk(), progress)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target.parent / f".{target.name}.lock"):
            if not _is_here(spec):
                _from_any(job, _chosen(spec, source, sources or (HubSource(), MirrorSource())))
                _tidy(job)
    except Locked:
        raise FetchError(
            f"Another process is fetching {spec.name}.", "Wait for it, then ask again."
        ) from None
    except KeyboardInterrupt:
        raise _interrupted(spec) from None
    except OSError as error:
        raise _explained(error, spec, target.parent) from None
    return target


def verify(spec: ModelSpec) -> None:
    """Hash the model on this machine and compare.

    Without a pinned hash (``spec.sha256`` is None) only its presence can be checked.

    Raises:
        ModelFileError: it is missing or another file.
    """
    again = f"Get it with `costeer models fetch {spec.name}`."
    path = path_of(spec)
    if not is_fetched(spec):
        raise ModelFileError(f"The model {spec.name} is not on this machine.", again)
    if path.is_file():
        try:
            check(spec, path.stat().st_size, hash_file(path))
        except ModelFileError as error:
            raise ModelFileError(error.message, again) from None


def _is_here(spec: ModelSpec) -> bool:
    if not is_fetched(spec):
        return False
    try:
        verify(spec)
    except ModelFileError:
        path_of(spec).unlink()
        return False
    return True


def _chosen(spec: ModelSpec, choice: Choice, sources: Sequence[Source]) -> list[Source]:
    chosen = [
        source for source in sources if choice in ("auto", source.name) and source.offers(spec)
    ]
    if not chosen:
        raise FetchError(f"{spec.name} has no source named {choice}.", "Try `--source auto`.")
    return chosen


def _from_any(job: Job, sources: Sequence[Source]) -> None:
    failures: list[tuple[Source, CoSteerError]] = []
    for source in _with_room(job, sources):
        try:
            return source.fetch(job)
        except (SourceError, ModelFileError, MissingDependencyError) as error:
            failures.append((source, error))
    raise _failed(job.spec, failures)


def _failed(spec: ModelSpec, failures: Sequence[tuple[Source, CoSteerError]]) -> CoSteerError:
    reasons = "; ".join(f"{source.name}: {str(error).rstrip('.')}" for source, error in failures)
    wrong = [error for _, error in failures if isinstance(error, ModelFileError)]
    if wrong:
        return ModelFileError(
            f"{spec.name} is not the file that is expected ({reasons}).",
            "Nothing of it is used. Try again or from another --source.",
        )
    if len(failures) == 1 and isinstance(failures[0][1], MissingDependencyError):
        return failures[0][1]
    return FetchError(
        f"No source of {spec.name} could be used ({reasons}).",
        "Check the network, proxy and package index settings, then ask again: it resumes.",
    )


def _with_room(job: Job, sources: Sequence[Source]) -> list[Source]:
    """Those the disk has room for: a mirror half done may fit where the hub from zero does not."""
    free = job.disk.free(job.target.parent)
    needed = {source.name: source.room(job) for source in sources}
    fitting = [source for source in sources if needed[source.name] <= max(free - MARGIN, 0)]
    if not fitting:
        raise _no_room(
            f"{job.spec.name} needs {_size(min(needed.values()) + MARGIN)} more on the disk of "
            f"{job.target.parent}, which has {_size(free)}."
        )
    return fitting


def _explained(error: OSError, spec: ModelSpec, folder: Path) -> FetchError:
    if error.errno in FULL:
        return _no_room(f"The disk of {folder} filled up while {spec.name} was being fetched.")
    reason = error.strerror or str(error)
    return FetchError(
        f"{spec.name} cannot be kept in {folder}: {reason}.", "COSTEER_HOME names another folder."
    )


def _no_room(message: str) -> FetchError:
    return FetchError(
        message,
        "Make room and ask again (it resumes), or let COSTEER_HOME name a folder on another disk.",
    )


def _interrupted(spec: ModelSpec) -> FetchError:
    error = FetchError(
        f"Fetching {spec.name} was interrupted; what has arrived is kept.",
        f"`costeer models fetch {spec.name}` goes on from there.",
    )
    error.exit_code = INTERRUPTED
    return error


def _tidy(job: Job) -> None:
    """Remove what another source had begun."""
    for ending in ("partial", "partial.json", "partial.json.new"):
        job.beside(ending).unlink(missing_ok=True)
    shutil.rmtree(job.beside("hub"), ignore_errors=True)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
