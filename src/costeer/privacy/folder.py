"""The person's folder for what only they may read: 0700, its files 0600, written whole.

It lies where the platform keeps an application's data, or in ``COSTEER_PRIVATE``.
"""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from costeer.exceptions import GuardError


def private_folder() -> Path:
    """The folder; it is made where there is none.

    Raises:
        GuardError: it cannot be made or belongs to somebody else.
    """
    return make_private(private_path())


def private_path() -> Path:
    """Where the folder is, or would be."""
    chosen = os.environ.get("COSTEER_PRIVATE")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("costeer") / "private"


def make_private(path: Path) -> Path:
    """Make a folder that nobody else can look into, or close one that somebody could.

    Raises:
        GuardError: see ``private_folder``.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
        if hasattr(os, "getuid") and status.st_uid != os.getuid():
            raise GuardError(f"{path} belongs to somebody else.", "Set COSTEER_PRIVATE.")
        if stat.S_IMODE(status.st_mode) & 0o077:
            path.chmod(0o700)
    except OSError as error:
        raise GuardError(
            f"The private folder {path} cannot be made ({error.strerror}).", "Set COSTEER_PRIVATE."
        ) from None
    return path


def write_private(path: Path, text: str) -> None:
    """Write a file whole and on disk, or leave it as it was.

    Raises:
        GuardError: the disk is full or refuses.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # is 0600
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise GuardError(f"{path} cannot be written ({error.strerror}).", "Make room.") from None


def read_private(path: Path) -> str | None:
    """A file's text; None where there is none.

    Raises:
        GuardError: it cannot be read.
    """
    try:
        return path.read_text("utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError):
        raise GuardError(f"{path} cannot be read.", "Mend or remove it.") from None
