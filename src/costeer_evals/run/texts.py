"""The scores of a text, as a row; and the text itself, for those who keep texts.

A row names its text by a hash, so that kept texts can be matched to their rows.
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
from costeer_evals.metrics.adherence import adherence, artefact, asides, refusal
from costeer_evals.metrics.overlap import overlap
from costeer_evals.metrics.repetition import repetition, words
from costeer_evals.run import results
from costeer_evals.run.experiment import CopyBaseline, Experiment
from costeer_evals.run.lane import GeneratedText
from costeer_evals.run.results import Key, ResultRow
from costeer_evals.run.row import SampleResult, build_row
from costeer_evals.samples import EncodedSample, short_hash
from costeer_evals.tasks.base import Sample
from costeer_evals.tasks.private import wording

IDENTITY = ("kind", "task", "sample", "method", "settings")


def require_metrics() -> None:
    """Check before any model is loaded that texts can be compared with references.

    Raises:
        MissingDependencyError: a package or NLTK's data are missing.
    """
    overlap("a", "a")


def text_result(
    run_id: str,
    experiment: Experiment,
    sample: EncodedSample,
    generated: GeneratedText,
    prompt_seconds: Mapping[Branch, float],
    tokenizer: Tokenizer,
) -> SampleResult:
    """The row of a generated text.

    Args:
        run_id: the header's id.
        experiment: what was run.
        sample: the sample.
        generated: the finished text.
        prompt_seconds: the time of each prompt; empty if the text was reused from another sample,
            and so took no time.
        tokenizer: the models'.
    """
    text = tokenizer.decode_bytes(generated.ids).decode("utf-8", errors="replace")
    more: dict[str, Any] = {
        "answer": answer_hash(text),
        "ended": generated.ended,
        "steps": generated.steps,
        "changed": generated.changed,
    }
    scores = score_text(sample.origin.sample, text)
    if generated.nll is not None:
        scores["nats_llm_with"] = generated.nll
    seconds = _seconds(generated, prompt_seconds) if prompt_seconds else {}
    row = build_row(run_id, experiment, sample, generated.method, scores, seconds, **more)
    return _with_text(row, text)


def _seconds(generated: GeneratedText, prompts: Mapping[Branch, float]) -> dict[str, float]:
    branches = sorted(generated.method.needs)
    return {"decode": generated.seconds, **{branch: prompts[branch] for branch in branches}}


def baseline_result(
    run_id: str, experiment: Experiment, sample: EncodedSample, baseline: CopyBaseline
) -> SampleResult:
    """The row of a copied text."""
    text = BASELINES[baseline.name](sample.origin.sample)
    scores = score_text(sample.origin.sample, text)
    answer = answer_hash(text)
    return _with_text(
        build_row(run_id, experiment, sample, baseline, scores, {}, answer=answer), text
    )


def score_text(sample: Sample, text: str) -> dict[str, Any]:
    """All scores that need no model: adherence, asides, overlap, repetition, faults.

    ``nearest`` is the best ROUGE-2 F of the reference with a record of the history.
    """
    scores: dict[str, Any] = asdict(repetition(words(text)))
    scores |= {"artefact": artefact(text, wording()), "refusal": refusal(text)}
    if sample.needs is not None:
        scores |= asdict(adherence(text, sample.needs, sample.forbids))
    if sample.asides:
        scores["asides"] = asides(text, sample.asides)
    if sample.reference:
        scores |= asdict(overlap(text, sample.reference))
        scores["nearest"] = nearest_record(sample)
    return scores


def answer_hash(text: str) -> str:
    """The hash by which a row names its text."""
    return short_hash(json.dumps(text))


def _with_text(row: ResultRow, text: str) -> SampleResult:
    return SampleResult((row,), ({**{name: row[name] for name in IDENTITY}, "text": text},))


def texts_path(out: Path) -> Path:
    """Where generated texts go: OUT.jsonl -> OUT.texts.jsonl."""
    return out.with_name(f"{out.stem}.texts{out.suffix}")


def text_writer(path: Path) -> Callable[[Iterable[Mapping[str, Any]]], None]:
    """A function that appends texts to a file.

    Raises:
        InputError: the file cannot be read or written.
    """
    results.truncate_partial_line(path)
    return lambda lines: results.append_lines(path, lines)


def read_texts(path: Path) -> dict[Key, list[str]]:
    """Read kept texts, by the key of their rows; a key may have several.

    Lines that hold no text are skipped: whoever misses the text of a row reports it.

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
        values = _parse_text(line)
        if values is not None:
            kept.setdefault(results.key_of(values), []).append(values["text"])
    return kept


def _parse_text(line: bytes) -> ResultRow | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict) or not all(name in values for name in IDENTITY):
        return None
    return values if isinstance(values.get("text"), str) else None
