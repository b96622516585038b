"""Tokens of the gateway's clients: named, of one of two scopes, revocable, and kept as hashes.

*app* is for applications: chat and models. *owner* is for the person: also the ledger, traces, and
what else is made of private text. The tokens are random, 256 bits, so a plain hash of them gives
nothing away and needs no salt. The file is in a folder that only its owner may enter; it is read
again when it changes, so a revoked token stops working at once.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from costeer.exceptions import InputError
from costeer.models.files.lock import LockedError, exclusive

Scope = Literal["app", "owner"]
FILE = "tokens.json"
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Token:
    """One client's token, without the token."""

    name: str
    scope: Scope
    sha256: str
    created: int  # seconds since the epoch


def folder() -> Path:
    """Where the tokens are: ``COSTEER_GATEWAY``, or in the platform's folder for user data."""
    chosen = os.environ.get("COSTEER_GATEWAY")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_data_path

    return user_data_path("costeer") / "gateway"


class TokenStore:
    """The tokens in a folder.

    Args:
        path: the folder; it is made when the first token is added.

    Raises:
        InputError: from every method, where the file cannot be read or others may read it.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._folder = folder() if path is None else path
        self._file = self._folder / FILE
        self._known: tuple[Token, ...] = ()
        self._seen: tuple[int, int, int] | None = None

    @property
    def exists(self) -> bool:
        """Whether a token was ever added, even if all are revoked."""
        return self._file.exists()

    def tokens(self) -> tuple[Token, ...]:
        """All of them, oldest first."""
        try:
            status = self._file.stat()
        except FileNotFoundError:
            self._known, self._seen = (), None
            return ()
        except OSError as error:
            raise _unusable(self._file, str(error.strerror)) from None
        seen = (status.st_mtime_ns, status.st_size, status.st_ino)
        if seen != self._seen:
            self._known, self._seen = self._read(status), seen
        return self._known

    def find(self, token: str) -> Token | None:
        """The entry of a token; None if there is none. Takes as long whichever it is."""
        digest = _digest(token)
        found = None
        for one in self.tokens():
            if hmac.compare_digest(one.sha256, digest):
                found = one
        return found

    def add(self, name: str, scope: Scope) -> str:
        """Make a token and return it; it cannot be had again.

        Raises:
            InputError: the name is taken or is no name.
        """
        if not name.strip() or len(name) > LONGEST_NAME or not name.isprintable():
            raise InputError(f"A token's name has 1 to {LONGEST_NAME} printable characters.")
        with self._changing():
            if any(one.name == name for one in self.tokens()):
                raise InputError(
                    f"There is a token {name!r} already.", "Choose another name, or revoke it."
                )
            token = f"costeer-{scope}-{secrets.token_urlsafe(32)}"
            self._write((*self.tokens(), Token(name, scope, _digest(token), int(time.time()))))
            return token

    def revoke(self, name: str) -> None:
        """Remove a token.

        Raises:
            InputError: there is none of that name.
        """
        with self._changing():
            left = tuple(one for one in self.tokens() if one.name != name)
            if len(left) == len(self.tokens()):
                raise InputError(f"There is no token {name!r}.", "See: costeer gateway token list")
            self._write(left)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with exclusive(self._folder / ".lock"):
                yield
        except LockedError:
            raise InputError("Another process is changing the tokens.", "Try again.") from None
        except OSError as error:
            raise _unusable(self._file, str(error.strerror)) from None

    def _read(self, status: os.stat_result) -> tuple[Token, ...]:
        if os.name == "posix" and stat.S_IMODE(status.st_mode) & 0o077:
            raise InputError(
                f"Others may read or change {self._file}.", f"Run: chmod 600 {self._file}"
            )
        try:
            entries = json.loads(self._file.read_text("utf-8"))["tokens"]
            read = tuple(Token(**entry) for entry in entries)
        except (OSError, ValueError, KeyError, TypeError):
            raise _unusable(self._file, "it is damaged") from None
        if not all(isinstance(one.sha256, str) and one.scope in ("app", "owner") for one in read):
            raise _unusable(self._file, "it is damaged")
        return read

    def _write(self, tokens: tuple[Token, ...]) -> None:
        """Replace the file, whole or not at all."""
        text = json.dumps({"tokens": [asdict(one) for one in tokens]}, indent=1)
        partial = self._folder / f".{FILE}.{secrets.token_hex(4)}"
        handle = os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self._file)
        finally:
            partial.unlink(missing_ok=True)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _unusable(path: Path, reason: str) -> InputError:
    return InputError(
        f"The tokens in {path} cannot be used: {reason}.",
        "Repair or remove the file; without it, tokens have to be made anew.",
    )
