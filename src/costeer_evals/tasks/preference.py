"""Preference alignment: answer a question as creatively, verbosely, concisely, or upliftingly as
possible. Here the "context" is the preference.

Data: ``{helpsteer,truthfulqa,ultrachat,personal_preference_eval}.jsonl`` of
github.com/USTC-StarTeam/CoSteer (``{"id", "input"}``, 200 questions each, sampled by its
authors). Every question is asked once per preference, so questions, not rows, are resampled. The
prompts and the order of the preferences are the authors'.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from costeer.exceptions import InputError
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Sample

PREFERENCES = ("creative", "verbose", "concise", "uplifting")


def sentence(preference: str) -> str:
    """The instruction that expresses a preference."""
    return f"Your answer should be as {preference} as possible"


@dataclass(frozen=True, slots=True)
class Preferences:
    """One set of questions under every preference; samples come question by question."""

    name: str
    metrics: frozenset[Metric] = frozenset({"armorm"})

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load one file, of which the limit counts questions; see ``Task.load``."""
        if source is None:
            raise InputError(
                f"The authors' sample of {self.name} is not on the hub.",
                f"Give datasets/{self.name}.jsonl of github.com/USTC-StarTeam/CoSteer.",
            )
        questions = rows.read(source, options.limit)
        return [_sample(row, preference) for row in questions for preference in PREFERENCES]


def _sample(row: rows.DataRow, preference: str) -> Sample:
    question, query = row.name("id"), row.text("input")
    return Sample(
        id=f"{question}-{preference}",
        query=query,
        context_prompt=f"{query}\n{sentence(preference)}",
        reference=None,
        group=question,
        preference=sentence(preference),
        context=f"{sentence(preference)}.",
    )


TASKS = tuple(
    Preferences(name)
    for name in ("helpsteer", "truthfulqa", "ultrachat", "personal_preference_eval")
)
