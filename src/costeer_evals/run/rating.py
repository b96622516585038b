"""Ratings of kept texts, appended to a file; texts that are rated already are skipped.

A line is one score of one text by one rater, or why there is none; the next run asks for failed
ones again. A rating names its row, the row's header and a hash of the text, so it cannot be taken
for one of another text. It never holds a text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from costeer.exceptions import InputError
from costeer_evals.run import results, texts
from costeer_evals.run.results import ResultFile, ResultRow
from costeer_evals.samples import TaskSample
from costeer_evals.tasks.base import Sample

RatedScore: TypeAlias = Literal["overall", "personal", "armorm"]
"""The name of a rating among a row's scores."""

NOT_KEPT = "Run again with --keep-texts into a new file (--out)."


@dataclass(frozen=True, slots=True)
class KeptText:
    """A text, its row, and the sample that it was generated for."""

    row: ResultRow
    sample: Sample
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RatingRequest:
    """One score wanted for one text."""

    text: KeptText
    score: RatedScore

    @property
    def identity(self) -> ResultRow:
        """The fields by which a rating names its text."""
        row = self.text.row
        named = {name: row[name] for name in results.REQUIRED}
        return {**named, "answer": texts.answer_hash(self.text.text)}


@dataclass(frozen=True, slots=True)
class RatingResult:
    """What came of a request.

    Attributes:
        value: the score; None if every attempt failed.
        attempts: how often the rater was asked.
        failure: why the last attempt failed; never a text.
    """

    value: float | None
    attempts: int = 1
    failure: str = ""


Rate: TypeAlias = Callable[[Sequence[RatingRequest]], Iterator[tuple[RatingRequest, RatingResult]]]
"""Yields the results of requests as they come, in any order."""


class Rater(Protocol):
    """Rates texts."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """What its ratings depend on; ratings of two identities are never mixed."""
        ...

    @property
    def scores(self) -> Sequence[RatedScore]:
        """The scores that it gives every text."""
        ...

    def open(self) -> AbstractContextManager[Rate]:
        """Load or connect, and undo that at the end."""
        ...


@dataclass(frozen=True, slots=True)
class KeptTexts:
    """Texts to rate.

    Attributes:
        texts: each once.
        skipped: rows whose samples are not among the given ones.
        not_kept: rows whose texts were not kept.
    """

    texts: Sequence[KeptText]
    skipped: int
    not_kept: int


@dataclass(frozen=True, slots=True)
class RatingSummary:
    """What a run of ``rate_texts`` did.

    Attributes:
        ratings: how many ratings of these texts the file now has.
        written: how many of them this run wrote.
        failed: requests that failed.
        skipped, not_kept: as in ``KeptTexts``.
        seconds: the time of this run.
    """

    ratings: int
    written: int
    failed: int
    skipped: int
    not_kept: int
    seconds: float


def ratings_path(file: Path) -> Path:
    """Where ratings go: FILE.jsonl -> FILE.ratings.jsonl."""
    return file.with_name(f"{file.stem}.ratings{file.suffix}")


def rate_texts(
    kept: KeptTexts,
    rater: Rater,
    out: Path,
    begin: Callable[[int, int], None] = lambda done, total: None,
    progress: Callable[[int], None] = lambda count: None,
) -> RatingSummary:
    """Rate the texts that the file of ratings lacks.

    Args:
        kept: the texts.
        rater: who rates them.
        out: the file of ratings.
        begin: called with the ratings that exist and the total, if any is missing.
        progress: called with the number of new attempts.

    Raises:
        CoSteerError: anything wrong; earlier ratings are kept.
    """
    began = time.monotonic()
    requests = [RatingRequest(text, score) for text in kept.texts for score in rater.scores]
    with results.open_results(out) as file:
        _require_same_rater(rater, file)
        unrated = find_unrated(requests, file.contents.ratings)
        failed = 0
        if unrated:
            with rater.open() as rate:
                begin(len(requests) - len(unrated), len(requests))
                failed = _write(rate(unrated), rater, file, progress)
    return RatingSummary(
        ratings=len(requests) - failed,
        written=len(unrated) - failed,
        failed=failed,
        skipped=kept.skipped,
        not_kept=kept.not_kept,
        seconds=time.monotonic() - began,
    )


def _write(
    rated: Iterable[tuple[RatingRequest, RatingResult]],
    rater: Rater,
    file: ResultFile,
    progress: Callable[[int], None],
) -> int:
    """Write each result as it comes; returns how many are failures."""
    failed = 0
    for request, result in rated:
        rating = {
            **request.identity,
            "rater": dict(rater.identity),
            "scores": {request.score: result.value},
            "attempts": result.attempts,
            "failure": result.failure,
        }
        file.append_rating(rating)
        failed += result.value is None
        progress(1)
    return failed


def find_unrated(
    requests: Iterable[RatingRequest], ratings: Iterable[ResultRow]
) -> list[RatingRequest]:
    """The requests that have no rating; a failed one does not count."""
    rated = {
        (_key(rating), score)
        for rating in ratings
        for score, value in rating["scores"].items()
        if value is not None
    }
    return [one for one in requests if (_key(one.identity), one.score) not in rated]


def _key(identity: Mapping[str, Any]) -> tuple[object, ...]:
    return (results.key_of(identity), *(identity[name] for name in ("run", "texts", "answer")))


def _require_same_rater(rater: Rater, file: ResultFile) -> None:
    """Check that the file has no other rater's ratings of a kind: no table could mix them."""
    for rating in file.contents.ratings:
        for score, value in rating["scores"].items():
            if score in rater.scores and value is not None and rating["rater"] != rater.identity:
                raise InputError(
                    f"{file.path} holds ratings by {describe_rater(rating['rater'])}; these would "
                    f"be by {describe_rater(rater.identity)}.",
                    "Give another --out.",
                )


def describe_rater(rater: Mapping[str, Any]) -> str:
    """A rater's name and what else tells it from others, in a few words."""
    more = ", ".join(f"{k} {str(v)[:16]}" for k, v in rater.items() if k not in ("kind", "name"))
    return f"{rater.get('name')} ({more})" if more else str(rater.get("name"))


def find_texts(files: Iterable[Path], samples: Iterable[TaskSample]) -> KeptTexts:
    """The kept texts of all rows that belong to these samples.

    Raises:
        InputError: a file is missing or holds no rows of texts, texts were not kept, the data
            differ from those of the run, or no row belongs to the samples.
    """
    by_id = {(one.task, one.sample.id): one for one in samples}
    found: dict[str, KeptText] = {}
    skipped = not_kept = 0
    for path in files:
        rows = _read_rows(path)
        kept = texts.read_texts(texts.texts_path(path))
        for row in rows:
            one = by_id.get((row["task"], row["sample"]))
            if one is None:
                skipped += 1
                continue
            _require_same_texts(row, one)
            text = _select_text(row, kept.get(results.key_of(row), ()))
            if text is None:
                not_kept += 1
            else:
                key = json.dumps([row["run"], *results.key_of(row)])
                found.setdefault(key, KeptText(row, one.sample, text))
    if not found and not_kept:
        raise InputError(f"The texts of all {not_kept} rows were not kept.", NOT_KEPT)
    if not found:
        raise InputError(
            "No row of these files belongs to a sample of the data.", "Check --tasks and --data."
        )
    return KeptTexts(list(found.values()), skipped, not_kept)


def _read_rows(path: Path) -> list[ResultRow]:
    rows = [row for row in results.read(path).rows.values() if row["kind"] == "generate"]
    if not rows:
        raise InputError(
            f"{path} holds no rows of texts.",
            "Give a file that `--kind generate --keep-texts` wrote.",
        )
    return rows


def _require_same_texts(row: ResultRow, one: TaskSample) -> None:
    if row["texts"] != one.texts_hash:
        raise InputError(
            f"The data hold other texts of {one.task}'s sample {one.sample.id} than the run had.",
            "Give the --data and the --split of the run.",
        )


def _select_text(row: ResultRow, kept: Sequence[str]) -> str | None:
    """The row's text, by its hash; a row without a hash (of an old version) gets the last text."""
    if "answer" not in row:
        return kept[-1] if kept else None
    return next((text for text in kept if texts.answer_hash(text) == row["answer"]), None)
