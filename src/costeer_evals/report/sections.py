"""What a table is made of: a section is one task under one set of settings, a column one method."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from costeer_evals.run.experiment import Kind
from costeer_evals.run.results import ResultRow


@dataclass(frozen=True, slots=True)
class MethodColumn:
    """One method in a section.

    Attributes:
        key: the method's key.
        label: its name in tables.
        parameters: its name and parameters.
        violates_privacy: whether the LLM saw the context.
        rows: one per sample of the section, in its order.
    """

    key: str
    label: str
    parameters: Mapping[str, Any]
    violates_privacy: bool
    rows: Sequence[ResultRow]

    def values(self, score: str) -> list[float] | None:
        """One score of every sample; None unless all samples have it."""
        found = [row["scores"].get(score) for row in self.rows]
        return None if not found or any(v is None for v in found) else [float(v) for v in found]


@dataclass(frozen=True, slots=True)
class Section:
    """One task, one kind of run, one set of settings.

    Attributes:
        kind, task, settings: what was run.
        models: names by role.
        columns: the methods, in the order of the file.
        samples: ids of the samples that every method has.
        groups: one per sample; samples of one group are resampled together.
        left_out: how many samples some method lacks.
    """

    kind: Kind
    task: str
    settings: Mapping[str, Any]
    models: Mapping[str, str]
    columns: Sequence[MethodColumn]
    samples: Sequence[str]
    groups: Sequence[str]
    left_out: int

    @property
    def likelihoods(self) -> bool:
        """Whether rows hold likelihoods of references, which are calibrated before comparing."""
        return all("log_partition" in c.rows[0]["scores"] for c in self.columns)

    @property
    def title(self) -> str:
        """The title of its tables."""
        names = ", ".join(f"{role} {name}" for role, name in self.models.items())
        settings = ", ".join(f"{name} {value:g}" for name, value in self.settings.items())
        work = f"texts ({settings})"
        if self.kind == "score":
            work = "likelihood of the references" if self.likelihoods else "choice of an option"
        return f"{self.task}, {work}: {len(self.samples)} samples; {names}"

    @property
    def notes(self) -> list[str]:
        """Notes below its tables."""
        if not self.left_out:
            return []
        return [f"{self.left_out} more samples are left out: not every method has them yet."]

    def find(self, key: str) -> MethodColumn | None:
        """The method with that key."""
        return next((column for column in self.columns if column.key == key), None)
