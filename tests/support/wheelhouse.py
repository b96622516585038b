"""A tiny model cut into real wheels, in a folder that pip takes for its only index."""

from __future__ import annotations

import hashlib
import os
import random
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from costeer.models.files.catalog import Mirror, ModelSpec

SIZES = (3_000_000, 1_500_000, 1000)  # the first is longer than one read


def parts(seed: int = 7, sizes: tuple[int, ...] = SIZES) -> list[bytes]:
    """The pieces of the tiny model."""
    rng = random.Random(seed)
    return [rng.randbytes(size) for size in sizes]


def spec_of(pieces: list[bytes], name: str = "tiny", **changes: object) -> ModelSpec:
    """A catalog entry for these pieces."""
    whole = b"".join(pieces)
    fields: dict[str, object] = {
        "name": name,
        "title": "Tiny",
        "parameters": "0B",
        "engine": "llamacpp",
        "licence": "Apache-2.0",
        "sha256": hashlib.sha256(whole).hexdigest(),
        "size": len(whole),
        "repo": "somebody/tiny",
        "filename": f"{name}.gguf",
        "mirror": Mirror(
            tuple(f"{name}-part{i}" for i in range(1, len(pieces) + 1)),
            "1.0",
            "*/data/part[0-9][0-9].bin",
        ),
    }
    return ModelSpec(**(fields | changes))


def make_wheels(folder: Path, pieces: list[bytes], name: str = "tiny") -> list[Path]:
    """One wheel a piece."""
    folder.mkdir(parents=True, exist_ok=True)
    return [
        make_wheel(folder, f"{name}-part{i}", {f"data/part{i:02}.bin": piece})
        for i, piece in enumerate(pieces, 1)
    ]


def make_wheel(folder: Path, name: str, members: Mapping[str, bytes]) -> Path:
    """One wheel, version 1.0, with these members in its package. Importing it would fail."""
    stem = name.replace("-", "_")
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    info = f"{stem}-1.0.dist-info"
    texts = {
        f"{stem}/__init__.py": "raise SystemExit('never import this')",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for member, text in texts.items():
            archive.writestr(member, text)
        for member, data in members.items():
            archive.writestr(f"{stem}/{member}", data)
    return path


COPY = """\
import os, pathlib, shutil, sys
folder, requirement = sys.argv[sys.argv.index("--dest") + 1], sys.argv[-1]
name, version = requirement.replace("-", "_").split("==")
wheel = pathlib.Path(os.environ["PIP_FIND_LINKS"], f"{name}-{version}-py3-none-any.whl")
if not wheel.is_file():
    raise SystemExit(f"ERROR: No matching distribution found for {requirement}")
shutil.copy(wheel, folder)
"""
COPYING = (sys.executable, "-SE", "-c", COPY)
"""A stand-in for pip that copies a wheel from the folder of links; it starts ten times faster."""


def pip_settings(links: str) -> dict[str, str]:
    """Variables under which pip knows nothing but ``links``."""
    return {
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": links,
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_RETRIES": "0",
        "PIP_RESUME_RETRIES": "0",
    }
