"""Model files from the model hub, through ``huggingface_hub`` (the optional extra ``hub``).

The library resumes its own downloads. It also tries an unreachable hub six times with growing
pauses, so one request with a short timeout is made first: a machine without access to the hub knows
within seconds. Its answer also tells whether the file has the pinned size.
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
from costeer.models.files.sources import Download, SourceError, check, last_line, size_of

TIMEOUT = 5.0  # seconds for the hub to answer
TICK = 0.2
WEIGHTS = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
DUPLICATES = ["original/*"]  # the same weights once more, in another format


class HubSource:
    """The model hub.

    Args:
        endpoint: the hub's address; by default what ``huggingface_hub`` is configured for.
    """

    name = "hub"

    def __init__(self, endpoint: str | None = None) -> None:
        self._endpoint = endpoint

    def offers(self, spec: ModelSpec) -> bool:
        """Return whether the model has a repository on the hub; all models of the catalog do."""
        return bool(spec.repo)

    def room(self, download: Download) -> int:
        """Return the missing bytes; 0 where the size is not known beforehand."""
        return max((download.spec.size or 0) - size_of(download.beside("hub")), 0)

    def fetch(self, download: Download) -> None:
        """Download and verify the model; see ``sources.Source``."""
        try:
            import huggingface_hub as hub
        except ImportError:
            raise MissingDependencyError(
                "The hub needs the package huggingface_hub.", "`pip install 'costeer[hub]'`"
            ) from None
        folder = download.beside("hub")
        try:
            revision = self._ask(hub, download.spec)
            with _watch(hub, download, folder):
                self._download(hub, download.spec, folder, revision)
        except _failures(hub) as error:
            raise _explain(hub, error, download.spec) from None
        _accept(download, folder)

    def _ask(self, hub: Any, spec: ModelSpec) -> str | None:
        """Return the revision to download; fail early where the download would fail late."""
        name = spec.filename or "config.json"
        url = hub.hf_hub_url(spec.repo, name, endpoint=self._endpoint)
        answer = hub.get_hf_file_metadata(url, timeout=TIMEOUT, endpoint=self._endpoint)
        if spec.filename and spec.size and answer.size and answer.size != spec.size:
            raise ModelFileError(
                f"The hub's {spec.filename} has {answer.size} bytes instead of {spec.size}."
            )
        return str(answer.commit_hash) if answer.commit_hash else None

    def _download(self, hub: Any, spec: ModelSpec, folder: Path, revision: str | None) -> None:
        common = {
            "revision": revision,
            "local_dir": folder,
            "etag_timeout": TIMEOUT,
            "endpoint": self._endpoint,
        }
        if spec.filename:
            hub.hf_hub_download(spec.repo, spec.filename, **common)
        else:
            hub.snapshot_download(
                spec.repo, allow_patterns=WEIGHTS, ignore_patterns=DUPLICATES, **common
            )


def _accept(download: Download, folder: Path) -> None:
    """Verify the download and give it its name."""
    if download.spec.filename is None:
        shutil.rmtree(folder / ".cache", ignore_errors=True)
        put_in_place(folder, download.target)
        return
    path = folder / download.spec.filename
    download.report(path.stat().st_size, "checking")
    try:
        check(download.spec, path.stat().st_size, hash_file(path))
        put_in_place(path, download.target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _watch(hub: Any, download: Download, folder: Path) -> Iterator[None]:
    """Report the growth of ``folder`` instead of showing the library's own progress bars.

    The folder is measured, because the library's reports differ between versions.
    """
    done = threading.Event()

    def look() -> None:
        while not done.wait(TICK):
            download.report(size_of(folder), "downloading")

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
    """Return the exceptions of the library, whichever HTTP client its version uses."""
    named = ("HTTPError", "EntryNotFoundError", "XetDownloadError", "RevisionResolutionError")
    found = [getattr(hub.errors, name, None) for name in named]
    # RuntimeError: raised by its native downloader when the connection breaks.
    return (OSError, ValueError, RuntimeError, *(kind for kind in found if kind is not None))


def _explain(hub: Any, error: BaseException, spec: ModelSpec) -> BaseException:
    network = isinstance(error, (ConnectionError, TimeoutError))
    if isinstance(error, OSError) and error.errno is not None and not network:
        return error  # from the disk
    if isinstance(error, hub.errors.GatedRepoError):
        return SourceError(
            f"{spec.repo} requires accepting its licence: do that on its page, "
            "then log in with `hf auth login`."
        )
    return SourceError(last_line(str(error)) if str(error) else type(error).__name__)
