"""PrefEval: a stated preference, a question, and answers, the first of which respects it.

Data: rows ``{"id", "topic", "preference", "question", "options"}`` made from the explicit
preferences of PrefEval (arXiv 2502.09597, github.com/amazon-science/PrefEval, CC BY-NC 4.0).
"""

from __future__ import annotations

from pathlib import Path

from costeer.exceptions import InputError
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Sample
from costeer_evals.tasks.private import private_turn


class PrefEval:
    """PrefEval, with the options to score."""

    name = "prefeval"
    metrics: frozenset[Metric] = frozenset()

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load one file; see ``Task.load``."""
        if source is None:
            raise InputError(
                "PrefEval does not ship with CoSteer: its licence differs.",
                "Give rows made from github.com/amazon-science/PrefEval: JSON lines with id, "
                "topic, preference, question and options, the right one first.",
            )
        return [_sample(row) for row in rows.read(source, options.limit)]


def _sample(row: rows.DataRow) -> Sample:
    name, question = row.name("id"), row.text("question")
    return Sample(
        id=name,
        query=question,
        context_prompt=private_turn(question, row.text("preference")),
        context=row.text("preference"),
        reference=None,
        group=name,
        kind=row.text("topic"),
        options=_options(row),
    )


def _options(row: rows.DataRow) -> tuple[str, ...]:
    found = row.values.get("options")
    fits = isinstance(found, list) and len(found) >= 2
    if not fits or not all(isinstance(option, str) and option.strip() for option in found or ()):
        raise row.error("there is no list of two or more texts under 'options'.")
    return tuple(found or ())


TASK = PrefEval()
