"""Download a model: choose a source, check disk space, lock, verify.

Knows nothing about how a source works (``hub``, ``mirror``) or about running a model. A model gets
its name only after it is verified, in one atomic step. Until then everything is stored beside it
under other names, so a fetch killed at any moment can be run again and resumes.
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
from costeer.models.files.lock import LockedError, exclusive
from costeer.models.files.mirror import MirrorSource
from costeer.models.files.resumable import Disk, RealDisk, hash_file
from costeer.models.files.sources import Download, Progress, Source, SourceError, check

Choice = Literal["auto", "hub", "mirror"]

FULL = (errno.ENOSPC, errno.EDQUOT)
INTERRUPTED = 130  # the exit status shells give a program ended by Ctrl-C
MARGIN = 64 * 2**20  # never fill a disk to the last byte


def fetch(
    spec: ModelSpec,
    *,
    source: Choice = "auto",
    progress: Progress | None = None,
    disk: Disk | None = None,
    sources: Sequence[Source] | None = None,
) -> Path:
    """Download a model unless it is here already; verify it either way.

    Args:
        spec: the model.
        source: ``auto`` tries the hub first, then the mirror (docs/models.md).
        progress: called with (bytes done, bytes in total or 0, current activity); some calls come
            from another thread.
        disk: the disk to write to.
        sources: in order of preference; the hub and the mirror by default.

    Returns:
        The verified file, or the folder of a transformers model.

    Raises:
        FetchError: no source works, the disk is full, another process is fetching the same model,
            or interrupted. What has arrived is kept, and fetching again resumes.
        ModelFileError: a source gave another file than the pinned one. It is removed.
        MissingDependencyError: the hub was requested and its package is not installed.
    """
    target = path_of(spec)
    download = Download(spec, target, disk or RealDisk(), progress)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with exclusive(target.parent / f".{target.name}.lock"):
            if not _is_here(spec):
                _from_any(download, _choose(spec, source, sources or (HubSource(), MirrorSource())))
                _tidy(download)
    except LockedError:
        raise FetchError(
            f"Another process is fetching {spec.name}.", "Wait for it, then try again."
        ) from None
    except KeyboardInterrupt:
        raise _interrupted_error(spec) from None
    except OSError as error:
        raise _explain(error, spec, target.parent) from None
    return target


def verify(spec: ModelSpec) -> None:
    """Hash the model on this machine and compare the hash.

    Without a pinned hash (``spec.sha256`` is None) only its presence can be checked.

    Raises:
        ModelFileError: the file is missing, or another one.
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


def _choose(spec: ModelSpec, choice: Choice, sources: Sequence[Source]) -> list[Source]:
    chosen = [
        source for source in sources if choice in ("auto", source.name) and source.offers(spec)
    ]
    if not chosen:
        raise FetchError(f"{spec.name} has no source named {choice}.", "Try `--source auto`.")
    return chosen


def _from_any(download: Download, sources: Sequence[Source]) -> None:
    failures: list[tuple[Source, CoSteerError]] = []
    for source in _with_room(download, sources):
        try:
            return source.fetch(download)
        except (SourceError, ModelFileError, MissingDependencyError) as error:
            failures.append((source, error))
    raise _no_source_error(download.spec, failures)


def _no_source_error(
    spec: ModelSpec, failures: Sequence[tuple[Source, CoSteerError]]
) -> CoSteerError:
    reasons = "; ".join(f"{source.name}: {str(error).rstrip('.')}" for source, error in failures)
    wrong = [error for _, error in failures if isinstance(error, ModelFileError)]
    if wrong:
        return ModelFileError(
            f"{spec.name} is not the expected file ({reasons}).",
            "Nothing of it is used. Try again, or another --source.",
        )
    if len(failures) == 1 and isinstance(failures[0][1], MissingDependencyError):
        return failures[0][1]
    return FetchError(
        f"No source of {spec.name} could be used ({reasons}).",
        "Check the network, proxy and package index settings, then try again: it resumes.",
    )


def _with_room(download: Download, sources: Sequence[Source]) -> list[Source]:
    """Return the sources whose rest fits on the disk: it differs if one is half finished."""
    free = download.disk.free(download.target.parent)
    needed = {source.name: source.room(download) for source in sources}
    fitting = [source for source in sources if needed[source.name] <= max(free - MARGIN, 0)]
    if not fitting:
        raise _no_room_error(
            f"{download.spec.name} needs {_size(min(needed.values()) + MARGIN)} more on the disk "
            f"of {download.target.parent}, which has {_size(free)}."
        )
    return fitting


def _explain(error: OSError, spec: ModelSpec, folder: Path) -> FetchError:
    if error.errno in FULL:
        return _no_room_error(
            f"The disk of {folder} filled up while {spec.name} was being fetched."
        )
    reason = error.strerror or str(error)
    return FetchError(
        f"{spec.name} cannot be stored in {folder}: {reason}.",
        "Set COSTEER_HOME to another folder.",
    )


def _no_room_error(message: str) -> FetchError:
    return FetchError(
        message,
        "Free some space and try again (it resumes), or set COSTEER_HOME to another disk.",
    )


def _interrupted_error(spec: ModelSpec) -> FetchError:
    error = FetchError(
        f"Fetching {spec.name} was interrupted; what has arrived is kept.",
        f"`costeer models fetch {spec.name}` resumes.",
    )
    error.exit_code = INTERRUPTED
    return error


def _tidy(download: Download) -> None:
    """Remove what another source has left."""
    for ending in ("partial", "partial.json", "partial.json.new"):
        download.beside(ending).unlink(missing_ok=True)
    shutil.rmtree(download.beside("hub"), ignore_errors=True)


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.1f} MB"
