"""CoGenesis, context-aware: write for a person with a known profile and known earlier texts.

Data: github.com/TsinghuaC3I/CoGenesis, data/context-aware/{dev,test}.json (150 and 240 rows), or
the rendered ``cogenesis.jsonl`` of github.com/USTC-StarTeam/CoSteer. Both give the same prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from costeer.edge.prompts import RECORD_BREAK
from costeer.exceptions import InputError
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, PastText, Sample
from costeer_evals.tasks.cogenesis_format import (
    HISTORY,
    PROFILE,
    QUERY,
    between,
    records_text,
    split_records,
    turns,
)

INSTRUCTION = (
    "You are now a helpful personal AI assistant. You should emulate the author's style and tone "
    "based on provided history content. Your responses should be detailed and informative, using "
    "the personal information reasonably in the user's profile. Aim for insightful and "
    "high-quality solutions that make users satisfied."
)


class CoGenesis:
    """CoGenesis, context-aware."""

    name = "cogenesis"
    metrics: frozenset[Metric] = frozenset({"judge", "overlap"})

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load one file; see ``Task.load``."""
        if source is None:
            raise InputError(
                "CoGenesis is not on the hub.",
                "Give data/context-aware/test.json of github.com/TsinghuaC3I/CoGenesis.",
            )
        return [
            _parse_rendered(row) if "personalized_input" in row.values else _parse_official(row)
            for row in rows.read(source, options.limit)
        ]


def _parse_official(row: rows.DataRow) -> Sample:
    query, reference = turns(row)
    profile = row.text("additional_profile")
    history = tuple(PastText(r.text("title"), r.text("text")) for r in row.rows("profile"))
    prompt = INSTRUCTION + PROFILE + profile + HISTORY + records_text(history)
    return Sample(
        id=row.name("tid"),
        query=query,
        context_prompt=f"{prompt}{QUERY}{query}\n",
        reference=reference,
        group=row.name("tid"),
        profile=profile,
        history=history,
        context=context(profile, history),
    )


def context(profile: str, history: Sequence[PastText]) -> str:
    """Profile and history as a person would give them: a record for the profile, one per text."""
    facts = "\n".join(line for line in profile.splitlines() if line.strip())
    texts = (RECORD_BREAK.sub("\n", records_text([record])) for record in history)
    return "\n\n".join([facts, *texts])


def _parse_rendered(row: rows.DataRow) -> Sample:
    prompt = row.text("personalized_input")
    profile = between(row, prompt, PROFILE, HISTORY)
    history = split_records(row, between(row, prompt, HISTORY, QUERY), "Task")
    return Sample(
        id=row.name("id"),
        query=row.text("input"),
        context_prompt=prompt,
        reference=row.text("output"),
        group=row.name("id"),
        profile=profile,
        history=history,
        context=context(profile, history),
    )


TASK = CoGenesis()
