"""Which models play which role, and opening them with the sequences that an experiment needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costeer.evals.runner import branches, provenance
from costeer.evals.runner.branches import Models
from costeer.evals.runner.experiment import Experiment, Generating
from costeer.models.base import LanguageModel
from costeer.models.load import load_model

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
        branches.require_models(experiment.branches, self.names)
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
            for role in branches.roles(needed) or ["slm"]:
                loaded[role] = load_model(
                    self.names[role],
                    context=self.context,
                    sequences=max(lanes * branches.sequences(needed, role), 1),
                    threads=self.threads,
                    device=self.device,
                )
            return Models(loaded)
        except BaseException:
            for model in loaded.values():
                model.close()
            raise
