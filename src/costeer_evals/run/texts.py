"""What a text is worth, as a row; and the text itself, for those who ask for it.

A row names its text by a hash, so that texts kept in a file can be found for their rows again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from costeer.exceptions import InputError
from costeer.models.base import Tokenizer
from costeer_evals.baselines import BASELINES, nearest_record
from costeer_evals.methods.base import Branch
from costeer_evals.metrics.adherence import adherence, artefact, refusal
from costeer_evals.metrics.overlap import overlap
from costeer_evals.metrics.repetition import repetition, words
from costeer_evals.run import results
from costeer_evals.run import row as rows
from costeer_evals.run.experiment import Copying, Experiment
from costeer_evals.run.lane import Writing
from costeer_evals.run.loop import Done
from costeer_evals.run.results import Key, Row
from costeer_evals.samples import EncodedUnit, hash_of
from costeer_evals.tasks.base import Sample
from costeer_evals.tasks.private import wording

IDENTITY = ("kind", "task", "sample", "method", "settings")


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
        "answer": answer_hash(text),
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
    scores = worth(sample.unit.sample, text)
    answer = answer_hash(text)
    return _done(rows.row(run, experiment, sample, copying, scores, {}, answer=answer), text)


def worth(sample: Sample, text: str) -> dict[str, Any]:
    """All that needs no model: adherence, overlap with the reference, repetition, length, faults.

    ``nearest`` is the best ROUGE-2 F of the reference with a record of the history.
    """
    scores: dict[str, Any] = asdict(repetition(words(text)))
    scores |= {"artefact": artefact(text, wording()), "refusal": refusal(text)}
    if sample.needs is not None:
        scores |= asdict(adherence(text, sample.needs, sample.forbids))
    if sample.reference:
        scores |= asdict(overlap(text, sample.reference))
        scores["nearest"] = nearest_record(sample)
    return scores


def answer_hash(text: str) -> str:
    """What a row calls its text."""
    return hash_of(json.dumps(text))


def _done(row: Row, text: str) -> Done:
    return Done((row,), ({**{name: row[name] for name in IDENTITY}, "text": text},))


def keeper(path: Path) -> Callable[[Iterable[Mapping[str, Any]]], None]:
    """Appends kept texts to a file."""
    results.cut_off_rest(path)
    return lambda lines: results.append_lines(path, lines)


def read_kept(path: Path) -> dict[Key, list[str]]:
    """Kept texts by the identity of their rows; one may stand there several times.

    Lines that hold no text are passed over: a row whose text is missed says so.

    Raises:
        InputError: the file is missing or cannot be read.
    """
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        raise InputError(
            f"There is no {path}: the texts were not kept.",
            "Run again with --keep-texts into a new file (--out).",
        ) from None
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", "Check it.") from None
    kept: dict[Key, list[str]] = {}
    for line in lines:
        values = _kept(line)
        if values is not None:
            kept.setdefault(results.key_of(values), []).append(values["text"])
    return kept


def _kept(line: bytes) -> Row | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict) or not all(name in values for name in IDENTITY):
        return None
    return values if isinstance(values.get("text"), str) else None
