"""CoGenesis abstracts: write a paper's abstract for an author with known earlier abstracts.

Data: github.com/TsinghuaC3I/CoGenesis, data/ablation/paper_{dev,test}.json. A row holds the
private user turn already rendered; the public turn is the text under its last heading (as in
paper_dev_wo.json there). This is not LongLaMP's abstract task.

Some references nearly repeat a record of the history: report with and without those that
``baselines.nearest_record`` finds.
"""

from __future__ import annotations

from pathlib import Path

from costeer.exceptions import InputError
from costeer_evals.tasks import rows
from costeer_evals.tasks.base import LoadOptions, Metric, Sample
from costeer_evals.tasks.cogenesis_format import QUERY, between, records_text, split_records, turns

HISTORY = "\n\n## History Paper Abstracts\n"


class Abstracts:
    """The CoGenesis abstracts."""

    name = "cogenesis-abstracts"
    metrics: frozenset[Metric] = frozenset({"overlap"})

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load one file; see ``Task.load``."""
        if source is None:
            raise InputError(
                "The CoGenesis abstracts are not on the hub.",
                "Give data/ablation/paper_test.json of github.com/TsinghuaC3I/CoGenesis.",
            )
        return [_sample(row) for row in rows.read(source, options.limit)]


def _sample(row: rows.DataRow) -> Sample:
    prompt, reference = turns(row)
    history = split_records(row, between(row, prompt, HISTORY, QUERY), "Title")
    return Sample(
        id=row.name("tid"),
        query=prompt.rpartition(QUERY)[2].strip(),
        context_prompt=prompt,
        reference=reference,
        group=row.name("tid"),
        history=history,
        context=records_text(history, "Title"),
    )


TASK = Abstracts()
