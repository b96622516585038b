"""The user's defaults: ``COSTEER_*`` variables first, then ``costeer.toml``.

The file in the user's configuration folder is read first, then the one in the working directory.
The latter may come from somebody else, with a cloned or unpacked folder, so it must not say where
the query and the key go, nor which models read what is private. Knows nothing about how the values
are used. Source of the folder names: platformdirs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from costeer.exceptions import UsageError

PREFIX = "COSTEER_"
FILE = "costeer.toml"
TRUSTED_ONLY = frozenset(
    {"cloud", "api_key", "slm", "llm", "context_file", "guard", "entity_model", "epsilon", "quiet"}
)
"""Settings that the file in the working directory must not make."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults for the command line and the Python API. None leaves the choice to the models."""

    cloud: str = "in-process"
    llm: str | None = None
    slm: str | None = None
    strength: str | None = None
    mode: str = "run-ahead"
    top_k: int = 64
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    threads: int | None = None
    retries: int = 5
    api_key: str | None = None
    context_file: str | None = None
    guard: str = "stand-in"
    entity_model: bool = False
    epsilon: float | None = None
    quiet: bool = False

    def override(self, given: Mapping[str, Any]) -> Settings:
        """Return these settings with those of ``given`` that are settings and not None."""
        names = {field.name for field in fields(self)}
        return replace(
            self, **{name: given[name] for name in names & given.keys() if given[name] is not None}
        )


def home() -> Path:
    """Return the folder for downloaded models: ``COSTEER_HOME``, or the platform's cache folder."""
    chosen = os.environ.get("COSTEER_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("costeer")


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        environ: environment variables; those of this process by default.
        folder: the user's configuration folder; the platform's by default.

    Raises:
        UsageError: a file cannot be parsed, it or the environment has an unknown name or an
            invalid value, or the file in the working directory sets what it must not.
    """
    environ = os.environ if environ is None else environ
    settings = Settings()
    own = _user_folder() if folder is None else folder
    for path in (own / FILE, Path(FILE)):
        if path.is_file():
            values = _read(path)
            _refuse_untrusted(values, path, own / FILE)
            settings = _merge(settings, values, str(path))
    known = {field.name for field in fields(Settings)}
    from_environment = {
        name: environ[PREFIX + name.upper()] for name in known if environ.get(PREFIX + name.upper())
    }
    return _merge(settings, from_environment, "the environment")


def _user_folder() -> Path:
    from platformdirs import user_config_path

    return user_config_path("costeer")


def _refuse_untrusted(values: Mapping[str, Any], path: Path, own: Path) -> None:
    named = sorted(TRUSTED_ONLY & values.keys())
    if named and not (own.is_file() and path.samefile(own)):
        raise UsageError(
            f"{FILE} in the working directory sets {named[0]}, but a folder that may come from "
            "somebody else must not choose where your query goes, what is read, by which models, "
            "or what is kept from leaving.",
            f"Set it in {own} instead.",
        )


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Fix or remove it.") from None


def _merge(settings: Settings, values: Mapping[str, Any], origin: str) -> Settings:
    kinds = {field.name: str(field.type) for field in fields(Settings)}
    changes: dict[str, Any] = {}
    for name, value in values.items():
        if name not in kinds:
            raise UsageError(
                f"{origin} sets {name!r}, which is not a setting.",
                f"The settings are: {', '.join(kinds)}.",
            )
        changes[name] = _convert(name, value, kinds[name], origin)
    return replace(settings, **changes)


def _convert(name: str, value: Any, kind: str, origin: str) -> Any:
    if kind == "bool":
        return _flag(name, value, origin)
    convert = int if "int" in kind else float if "float" in kind else str
    try:
        whole = not isinstance(value, float) or value.is_integer()
        if type(value) not in (str, int, float) or (convert is int and not whole):
            raise ValueError
        return convert(value)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{origin} sets {name} to something that is not "
            f"{'a whole number' if convert is int else 'a number' if convert is float else 'text'}."
        ) from None


def _flag(name: str, value: Any, origin: str) -> bool:
    if isinstance(value, str):
        value = {"true": True, "1": True, "false": False, "0": False}.get(value.lower())
    if not isinstance(value, bool):
        raise UsageError(f"{origin} sets {name} to something that is neither true nor false.")
    return value
