"""Defaults of the user's own: ``COSTEER_*`` variables first, then ``costeer.toml``.

The file is looked for in the working directory, then in the user's configuration folder. Knows
nothing of what the values are used for. Source of the folder names: platformdirs.
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


@dataclass(frozen=True, slots=True)
class Settings:
    """Defaults for the command line and the Python API; None means "decide from the models"."""

    cloud: str = "local"
    llm: str | None = None
    local: str | None = None
    strength: str | None = None
    mode: str = "run-ahead"
    top_k: int = 64
    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    threads: int | None = None
    retries: int = 5
    api_key: str | None = None


def home() -> Path:
    """The folder for downloaded models: ``COSTEER_HOME``, or the platform's cache folder."""
    chosen = os.environ.get("COSTEER_HOME")
    if chosen:
        return Path(chosen).expanduser()
    from platformdirs import user_cache_path

    return user_cache_path("costeer")


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Settings:
    """Read the settings.

    Args:
        environ: variables; the process's own by default.
        folder: where ``costeer.toml`` may lie; by default the working directory, then the user's
            configuration folder.

    Raises:
        UsageError: the file cannot be parsed, or a name or value in it or in the environment is
            not understood.
    """
    environ = os.environ if environ is None else environ
    settings = Settings()
    path = _find(folder)
    if path is not None:
        settings = _merge(settings, _read(path), str(path))
    known = {field.name for field in fields(Settings)}
    from_environment = {
        name: environ[PREFIX + name.upper()] for name in known if environ.get(PREFIX + name.upper())
    }
    return _merge(settings, from_environment, "the environment")


def _find(folder: Path | None) -> Path | None:
    if folder is not None:
        candidates = [folder / FILE]
    else:
        from platformdirs import user_config_path

        candidates = [Path.cwd() / FILE, user_config_path("costeer") / FILE]
    return next((path for path in candidates if path.is_file()), None)


def _read(path: Path) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}.", "Mend or remove it.") from None


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
    convert = int if "int" in kind else float if "float" in kind else str
    try:
        if isinstance(value, (bool, list, dict)):
            raise ValueError
        return convert(value)
    except ValueError:
        raise UsageError(
            f"{origin} sets {name} to something that is not "
            f"{'a whole number' if convert is int else 'a number' if convert is float else 'text'}."
        ) from None
