"""Model files from the model hub, through ``huggingface_hub`` (the optional extra ``hub``).

The library resumes what it began in its own folder. It also asks an unreachable hub six times
with growing pauses; one question with a short limit is therefore put first, so that a machine
without a way there knows within seconds. Its answer also says whether the file is the pinned one.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costeer.exceptions import MissingDependencyError, ModelFileError
from costeer.models.files.catalog import ModelSpec
from costeer.models.files.resumable import hash_file, put_in_place
from costeer.models.files.sources import Job, SourceError, check, last_line, size_of

PATIENCE = 5.0  # seconds for the hub to answer
TICK = 0.2
WEIGHTS = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
ELSEWISE = ["original/*"]  # the same weights once more, in another format


class HubSource:
    """The hub.

    Args:
        endpoint: its address; by default the one ``huggingface_hub`` is configured for.
    """

    name = "hub"

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def offers(self, spec: ModelSpec) -> bool:
        """Every model of the catalog has a repository."""
        return bool(spec.repo)

    def room(self, job: Job) -> int:
        """The rest of the file; 0 where its size is not known beforehand."""
        return max((job.spec.size or 0) - size_of(job.beside("hub")), 0)

    def fetch(self, job: Job) -> None:
        """See ``sources.Source``."""
        try:
            import huggingface_hub as hub
        except ImportError:
            raise MissingDependencyError(
                "The hub needs the package huggingface_hub.", "`pip install 'costeer[hub]'`"
            ) from None
        folder = job.beside("hub")
        try:
            revision = self._ask(hub, job.spec)
            with _watched(hub, job, folder):
                self._download(hub, job.spec, folder, revision)
        except _failures(hub) as error:
            raise _explained(hub, error, job.spec) from None
        _accept(job, folder)

    def _ask(self, hub: Any, spec: ModelSpec) -> str | None:
        """The revision to take; raises early what the download would raise late."""
        name = spec.filename or "config.json"
        url = hub.hf_hub_url(spec.repo, name, endpoint=self._endpoint)
        answer = hub.get_hf_file_metadata(url, timeout=PATIENCE, endpoint=self._endpoint)
        if spec.filename and spec.size and answer.size and answer.size != spec.size:
            raise ModelFileError(
                f"The hub's {spec.filename} has {answer.size} bytes instead of {spec.size}."
            )
        return str(answer.commit_hash) if answer.commit_hash else None

    def _download(self, hub: Any, spec: ModelSpec, folder: Path, revision: str | None) -> None:
        common = {
            "revision": revision,
            "local_dir": folder,
            "etag_timeout": PATIENCE,
            "endpoint": self._endpoint,
        }
        if spec.filename:
            hub.hf_hub_download(spec.repo, spec.filename, **common)
        else:
            hub.snapshot_download(
                spec.repo, allow_patterns=WEIGHTS, ignore_patterns=ELSEWISE, **common
            )


def _accept(job: Job, folder: Path) -> None:
    """Verify what came and give it its name."""
    if job.spec.filename is None:
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        put_in_place(folder, job.target)
        return
    path = folder / job.spec.filename
    job.report(path.stat().st_size, "checking")
    try:
        check(job.spec, path.stat().st_size, hash_file(path))
        put_in_place(path, job.target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _watched(hub: Any, job: Job, folder: Path) -> Iterator[None]:
    """Report the growth of ``folder``, in place of the library's own bars.

    By looking at the folder, since what the library tells differs between its versions.
    """
    done = threading.Event()

    def look() -> None:
        while not done.wait(TICK):
            job.report(size_of(folder), "downloading")

    quiet = hub.utils.are_progress_bars_disabled()
    hub.utils.disable_progress_bars()
    watcher = threading.Thread(target=look, name="costeer-hub", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()
        if not quiet:
            hub.utils.enable_progress_bars()


def _failures(hub: Any) -> tuple[type[BaseException], ...]:
    """What the library raises, whichever HTTP client its version is built on."""
    named = ("HTTPError", "EntryNotFoundError", "XetDownloadError", "RevisionResolutionError")
    found = [getattr(hub.errors, name, None) for name in named]
    # RuntimeError: its native downloader's way to say that the connection broke.
    return (OSError, ValueError, RuntimeError, *(kind for kind in found if kind is not None))


def _explained(hub: Any, error: BaseException, spec: ModelSpec) -> BaseException:
    network = isinstance(error, (ConnectionError, TimeoutError))
    if isinstance(error, OSError) and error.errno is not None and not network:
        return error  # the disk's
    if isinstance(error, hub.errors.GatedRepoError):
        return SourceError(
            f"{spec.repo} asks for its licence to be accepted: do that on its page, "
            "then log in with `hf auth login`."
        )
    return SourceError(last_line(str(error)) if str(error) else type(error).__name__)
