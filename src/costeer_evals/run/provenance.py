"""What made a row: versions, and the models by name and SHA-256 of their files.

Nothing here names a person, a machine or a folder.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from costeer import __version__
from costeer.models.files.catalog import name_of, resolve
from costeer.models.files.resumable import hash_file
from costeer_evals.methods.base import RULES
from costeer_evals.samples import hash_of

FORMAT = 1
ENGINES = ("llama-cpp-python", "torch", "transformers")
WEIGHTS = (".safetensors", ".bin", ".json", ".model", ".txt")


def header(models: Mapping[str, Mapping[str, str]], **settings: Any) -> dict[str, Any]:
    """What the rows of a run point to.

    Args:
        models: by role, from ``describe``.
        settings: what else may matter, such as threads.
    """
    content = {
        "format": FORMAT,
        "models": models,
        "versions": {
            "costeer": __version__,
            "rules": RULES,
            "python": platform.python_version(),
            "numpy": metadata.version("numpy"),
            **{name: version for name in ENGINES if (version := _version(name))},
        },
        "machine": f"{platform.system()} {platform.machine()}",
        "settings": settings,
    }
    return {"run": hash_of(json.dumps(content, sort_keys=True)), **content}


def describe(name_or_path: str) -> dict[str, str]:
    """A model's name and the SHA-256 of its file, or of all files of its folder.

    Raises:
        UnknownModelError: neither a name of the catalog nor a model file or folder.
        ModelFileError: it is not fetched yet.
    """
    if name_or_path == "fake" or name_or_path.startswith("fake:"):
        return {"name": name_or_path, "sha256": hash_of(name_or_path)}
    path = resolve(name_or_path)
    return {"name": name_of(path), "sha256": hash_file(path) if path.is_file() else _folder(path)}


def _folder(path: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(path.iterdir()):
        if file.suffix in WEIGHTS:
            digest.update(f"{file.name} {hash_file(file)}\n".encode())
    return digest.hexdigest()


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
