"""CoGenesis, context-aware: write for a person whose profile and earlier texts are known.

Data: github.com/TsinghuaC3I/CoGenesis, data/context-aware/{dev,test}.json (150 and 240 rows), or
the rendered ``cogenesis.jsonl`` of github.com/USTC-StarTeam/CoSteer. Both give the same prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from costeer.edge.prompts import RECORD_BREAK
from costeer.exceptions import InputError
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Record, Sample
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
    """See the module."""

    name = "cogenesis"
    metrics: frozenset[Metric] = frozenset({"judge", "overlap"})

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """See ``Task.load``; the source is one file."""
        if source is None:
            raise InputError(
                "CoGenesis is not on the hub.",
                "Give data/context-aware/test.json of github.com/TsinghuaC3I/CoGenesis.",
            )
        return [
            _rendered(row) if "personalized_input" in row.values else _official(row)
            for row in rows.read(source, options.limit)
        ]


def _official(row: rows.Row) -> Sample:
    query, reference = turns(row)
    profile = row.text("additional_profile")
    history = tuple(Record(r.text("title"), r.text("text")) for r in row.rows("profile"))
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


def context(profile: str, history: Sequence[Record]) -> str:
    """Profile and history as a person would give them: the profile is one record, each text one."""
    facts = "\n".join(line for line in profile.splitlines() if line.strip())
    texts = (RECORD_BREAK.sub("\n", records_text([record])) for record in history)
    return "\n\n".join([facts, *texts])


def _rendered(row: rows.Row) -> Sample:
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
