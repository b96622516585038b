"""Which model reads which prompt, how the models are loaded, and what a run's header says of them.

A prompt is evaluated once for each sample and branch, however many methods use it. Each branch is
evaluated by itself, so its rows do not depend on which other methods run. The header names no
person, machine or folder: versions, and the models by name and SHA-256 of their files.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from costeer import __version__
from costeer.decoding.vocabulary import require_shared
from costeer.exceptions import ParameterError
from costeer.models.base import LanguageModel, Tokenizer
from costeer.models.files.catalog import name_of, resolve
from costeer.models.files.resumable import hash_file
from costeer.models.load import load_model
from costeer_evals.methods.base import RULES, Branch
from costeer_evals.prompts import TokenPrompts
from costeer_evals.run.experiment import Experiment
from costeer_evals.samples import short_hash

MODEL_OF: Mapping[Branch, str] = {
    "llm_without": "llm",
    "llm_guided": "llm",
    "llm_with": "llm",
    "slm_without": "slm",
    "slm_with": "slm",
    "slm_about": "slm",
    "tuned_slm": "tuned",
    "untuned_slm": "untuned",
}
ROLES = ("llm", "slm", "tuned", "untuned")
FORMAT = 1
ENGINES = ("llama-cpp-python", "torch", "transformers")
WEIGHTS = (".safetensors", ".bin", ".json", ".model", ".txt")


@dataclass(frozen=True, slots=True)
class Models:
    """Models of one vocabulary, by role."""

    by_role: Mapping[str, LanguageModel]

    def __post_init__(self) -> None:
        first, *others = self.by_role.values()
        for other in others:
            vocabulary = other.tokenizer.vocabulary
            require_shared(
                first.tokenizer.vocabulary,
                cloud_size=len(vocabulary),
                cloud_fingerprint=vocabulary.fingerprint,
            )

    def for_branch(self, branch: Branch) -> LanguageModel:
        """The model that reads a branch."""
        return self.by_role[MODEL_OF[branch]]

    @property
    def tokenizer(self) -> Tokenizer:
        """The tokenizer that all of them share."""
        return next(iter(self.by_role.values())).tokenizer

    @property
    def context_length(self) -> int:
        """The most tokens that a sequence of every model can hold."""
        return min(model.context_length for model in self.by_role.values())

    def close(self) -> None:
        """Free the models."""
        for model in self.by_role.values():
            model.close()


def branch_prompt(branch: Branch, prompts: TokenPrompts) -> tuple[int, ...]:
    """The token ids that a branch reads before the answer."""
    return {
        "llm_without": prompts.public,
        "llm_guided": prompts.guided,
        "llm_with": prompts.private,
        "slm_without": prompts.public,
        "slm_with": prompts.private,
        "slm_about": prompts.about,
        "tuned_slm": prompts.public,
        "untuned_slm": prompts.public,
    }[branch]


def count_sequences(branches: Collection[Branch], role: str) -> int:
    """How many sequences of one model a sample takes."""
    return sum(MODEL_OF[branch] == role for branch in branches)


def require_models(branches: Collection[Branch], given: Collection[str]) -> None:
    """Check before loading that every branch has a model.

    Raises:
        ParameterError: a branch has none.
    """
    needed = {MODEL_OF[branch] for branch in branches}
    missing = [role for role in ROLES if role in needed and role not in given]
    if missing:
        options = " and ".join(f"--{role}" for role in missing)
        raise ParameterError(
            f"Proxy-tuning needs models named by {options}.", "Name them, or leave the method out."
        )


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Models by role ("llm", "slm", "tuned", "untuned"), as names or paths.

    Attributes:
        names: the models, by role.
        context: the most tokens of a prompt and its answer.
        threads: computing threads; None for the physical cores.
        device: where transformers runs its models, e.g. "cuda".
    """

    names: Mapping[str, str]
    context: int = 4096
    threads: int | None = None
    device: str | None = None

    def header(self, experiment: Experiment) -> dict[str, Any]:
        """The header of a run, which its rows refer to.

        Raises:
            ParameterError: a method needs a model that is not named.
            UnknownModelError: a name is neither in the catalog nor a file or folder.
            ModelFileError: a model is not fetched yet.
        """
        require_models(experiment.branches, self.names)
        settings = {
            "context": self.context,
            "threads": self.threads,
            "device": self.device,
            "lanes": experiment.lanes,
        }
        return describe_header(self.names, settings)

    def load(self, experiment: Experiment) -> Models:
        """Load the models that the experiment needs; close them when done."""
        needed = experiment.branches
        # Baselines alone need no model, but lengths are counted in tokens.
        roles = [role for role in ROLES if count_sequences(needed, role)] or ["slm"]
        loaded: dict[str, LanguageModel] = {}
        try:
            for role in roles:
                loaded[role] = load_model(
                    self.names[role],
                    context=self.context,
                    sequences=max(experiment.lanes * count_sequences(needed, role), 1),
                    threads=self.threads,
                    device=self.device,
                )
            return Models(loaded)
        except BaseException:
            for model in loaded.values():
                model.close()
            raise


def describe_header(names: Mapping[str, str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The header of a run with these models, by role, and these settings.

    Raises:
        UnknownModelError: a name is neither in the catalog nor a file or folder.
        ModelFileError: a model is not fetched yet.
    """
    content = {
        "format": FORMAT,
        "models": {role: describe_model(name) for role, name in names.items()},
        "versions": {
            "costeer": __version__,
            "rules": RULES,
            "python": platform.python_version(),
            "numpy": metadata.version("numpy"),
            **{name: version for name in ENGINES if (version := _version(name))},
        },
        "machine": f"{platform.system()} {platform.machine()}",
        "settings": dict(settings),
    }
    return {"run": short_hash(json.dumps(content, sort_keys=True)), **content}


def describe_model(name_or_path: str) -> dict[str, str]:
    """A model's name and the SHA-256 of its file, or of all files of its folder.

    Raises:
        UnknownModelError: neither a name of the catalog nor a model file or folder.
        ModelFileError: it is not fetched yet.
    """
    if name_or_path == "fake" or name_or_path.startswith("fake:"):
        return {"name": name_or_path, "sha256": short_hash(name_or_path)}
    path = resolve(name_or_path)
    digest = hash_file(path) if path.is_file() else _hash_folder(path)
    return {"name": name_of(path), "sha256": digest}


def _hash_folder(path: Path) -> str:
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
