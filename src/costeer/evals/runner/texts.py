"""What a text is worth, as a row; and the text itself, for those who ask for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from costeer.evals.methods.base import Branch
from costeer.evals.metrics.overlap import overlap
from costeer.evals.metrics.repetition import repetition, words
from costeer.evals.runner import row as rows
from costeer.evals.runner.experiment import Copying, Experiment
from costeer.evals.runner.lane import Writing
from costeer.evals.runner.results import Row
from costeer.evals.runner.todo import Done
from costeer.evals.runner.units import EncodedUnit
from costeer.evals.tasks.base import Sample
from costeer.evals.trivial import BASELINES, nearest_record
from costeer.models.base import Tokenizer


def require_metrics() -> None:
    """Check before any model is loaded that texts can be compared with references.

    Raises:
        MissingDependencyError: a package or NLTK's data are missing.
    """
    overlap("a", "a")


def written(
    run: str,
    experiment: Experiment,
    sample: EncodedUnit,
    writing: Writing,
    prompt_seconds: Mapping[Branch, float],
    tokenizer: Tokenizer,
    *,
    reused: bool,
) -> Done:
    """A text that a method wrote; one taken over from another sample took no time."""
    text = tokenizer.decode_bytes(writing.ids).decode("utf-8", errors="replace")
    more: dict[str, Any] = {
        "ended": writing.ended,
        "steps": writing.steps,
        "changed": writing.changed,
    }
    scores = worth(sample.unit.sample, text)
    if writing.nats is not None:
        scores["nats_llm_with"] = writing.nats
    seconds = {} if reused else _seconds(writing, prompt_seconds)
    made = rows.row(run, experiment, sample, writing.method, scores, seconds, **more)
    return _done(made, text)


def _seconds(writing: Writing, prompts: Mapping[Branch, float]) -> dict[str, float]:
    branches = sorted(writing.method.needs)
    return {"decode": writing.seconds, **{branch: prompts[branch] for branch in branches}}


def copied(run: str, experiment: Experiment, sample: EncodedUnit, copying: Copying) -> Done:
    """A text that was copied."""
    text = BASELINES[copying.name](sample.unit.sample)
    made = rows.row(run, experiment, sample, copying, worth(sample.unit.sample, text), {})
    return _done(made, text)


def worth(sample: Sample, text: str) -> dict[str, Any]:
    """All that needs no model: overlap with the reference, repetition, length.

    ``nearest`` is the best ROUGE-2 F of the reference with a record of the history.
    """
    scores: dict[str, Any] = asdict(repetition(words(text)))
    if sample.reference:
        scores |= asdict(overlap(text, sample.reference))
        scores["nearest"] = nearest_record(sample)
    return scores


def _done(row: Row, text: str) -> Done:
    identity = ("kind", "task", "sample", "method", "settings")
    return Done((row,), ({**{name: row[name] for name in identity}, "text": text},))
