"""Which model reads which prompt, and opening the models with the sequences that this takes.

A prompt is evaluated once for each sample and branch, however many methods use it. A branch is
evaluated by itself, never together with another, so that its rows do not depend on which methods
are run along with it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from costeer.decoding.vocabulary import require_shared
from costeer.exceptions import ParameterError
from costeer.models.base import LanguageModel, Tokenizer
from costeer.models.load import load_model
from costeer_evals.methods.base import Branch
from costeer_evals.prompts import TokenPrompts
from costeer_evals.run import provenance
from costeer_evals.run.experiment import Experiment, Generating

PRIVATE: frozenset[Branch] = frozenset({"llm_with", "slm_with", "slm_about"})
"""The others see the query alone, ``llm_guided`` with a public instruction in front; so do the two
small models of proxy-tuning, whose difference is in their weights."""

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


@dataclass(frozen=True, slots=True)
class Models:
    """Models of one vocabulary by their role."""

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

    def of(self, branch: Branch) -> LanguageModel:
        """The model behind a branch."""
        return self.by_role[MODEL_OF[branch]]

    @property
    def tokenizer(self) -> Tokenizer:
        """That of all of them."""
        return next(iter(self.by_role.values())).tokenizer

    @property
    def vocab_size(self) -> int:
        """V."""
        return next(iter(self.by_role.values())).vocab_size

    @property
    def room(self) -> int:
        """The most tokens that a sequence of each can hold."""
        return min(model.context_length for model in self.by_role.values())

    def close(self) -> None:
        """Free them."""
        for model in self.by_role.values():
            model.close()


def roles(branches: Collection[Branch]) -> list[str]:
    """The models that these branches need."""
    needed = {MODEL_OF[branch] for branch in branches}
    return [role for role in ROLES if role in needed]


def sequences(branches: Collection[Branch], role: str) -> int:
    """How many sequences of one model a sample takes."""
    return sum(MODEL_OF[branch] == role for branch in branches)


def require_models(branches: Collection[Branch], given: Collection[str]) -> None:
    """Check before loading that every branch has a model.

    Raises:
        ParameterError: one has none.
    """
    missing = [role for role in roles(branches) if role not in given]
    if missing:
        options = " and ".join(f"--{role}" for role in missing)
        raise ParameterError(
            f"Proxy-tuning needs models named by {options}.", "Name them, or leave the method out."
        )


def prompt_of(branch: Branch, prompts: TokenPrompts) -> tuple[int, ...]:
    """What the branch's model reads before the answer."""
    if branch == "llm_guided":
        return prompts.guided
    if branch == "slm_about":
        return prompts.about
    return prompts.private if branch in PRIVATE else prompts.public


CONTEXT = 4096


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Models by role ("llm", "slm", "tuned", "untuned"), as names or paths.

    Attributes:
        names: by role.
        context: the most tokens of a prompt and its answer.
        threads: computing threads; None for the physical cores.
        device: for models that transformers runs, e.g. "cuda".
    """

    names: Mapping[str, str]
    context: int = CONTEXT
    threads: int | None = None
    device: str | None = None

    def header(self, experiment: Experiment) -> dict[str, Any]:
        """What the rows of a run point to.

        Raises:
            ParameterError: a method needs a model that is not named.
            UnknownModelError: a name is neither in the catalog nor a file or folder.
            ModelFileError: a model is not fetched yet.
        """
        require_models(experiment.branches, self.names)
        described = {role: provenance.describe(name) for role, name in self.names.items()}
        work = experiment.work
        return provenance.header(
            described,
            context=self.context,
            threads=self.threads,
            device=self.device,
            lanes=work.lanes if isinstance(work, Generating) else 1,
        )

    def open(self, experiment: Experiment) -> Models:
        """Load the models that the experiment needs; close them when done."""
        needed = experiment.branches
        lanes = experiment.work.lanes if isinstance(experiment.work, Generating) else 1
        loaded: dict[str, LanguageModel] = {}
        try:
            # Without any method (copying only) the tokenizer is still wanted, for the lengths.
            for role in roles(needed) or ["slm"]:
                loaded[role] = load_model(
                    self.names[role],
                    context=self.context,
                    sequences=max(lanes * sequences(needed, role), 1),
                    threads=self.threads,
                    device=self.device,
                )
            return Models(loaded)
        except BaseException:
            for model in loaded.values():
                model.close()
            raise
