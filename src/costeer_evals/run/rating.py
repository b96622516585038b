"""Ratings of texts that a run kept, into a file: what is done already is left alone.

One line is one score of one text by one rater, or why there is none; failures are asked for again
by the next run. A rating names its row, the row's header and a hash of the text, so that it cannot
be taken for one of another text; it never holds a text.
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
from costeer_evals.run.job import texts_path
from costeer_evals.run.results import ResultFile, Row
from costeer_evals.samples import Unit
from costeer_evals.tasks.base import Sample

Score: TypeAlias = Literal["overall", "personal", "armorm"]
"""The name under which a rating stands among a row's scores."""

NOT_KEPT = "Run again with --keep-texts into a new file (--out)."


@dataclass(frozen=True, slots=True)
class Text:
    """A text, its row, and the sample that it was written for."""

    row: Row
    sample: Sample
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wanted:
    """One score of one text."""

    text: Text
    score: Score

    @property
    def identity(self) -> Row:
        """What a rating says of its text."""
        row = self.text.row
        named = {name: row[name] for name in results.REQUIRED}
        return {**named, "answer": texts.answer_hash(self.text.text)}


@dataclass(frozen=True, slots=True)
class Opinion:
    """What came of asking for a score.

    Attributes:
        value: None if it failed.
        attempts: how often the rater was asked.
        failure: why the last attempt failed; never a text.
    """

    value: float | None
    attempts: int = 1
    failure: str = ""


Rate: TypeAlias = Callable[[Sequence[Wanted]], Iterator[tuple[Wanted, Opinion]]]
"""Gives opinions as they come, in any order."""


class Rater(Protocol):
    """Whoever rates texts."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who it is: ratings of two identities are never mixed."""
        ...

    @property
    def scores(self) -> Sequence[Score]:
        """What it gives every text."""
        ...

    def opened(self) -> AbstractContextManager[Rate]:
        """Load or connect; and the opposite at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """Texts to rate.

    Attributes:
        texts: each once.
        skipped: rows of texts whose samples are not among the given ones.
        not_kept: rows whose texts were not kept.
    """

    texts: Sequence[Text]
    skipped: int
    not_kept: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Attributes:
        ratings: that the file now has of these texts.
        written: of these, by this run.
        failed: ratings that did not succeed.
        skipped, not_kept: see ``Found``.
        seconds: of this run.
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


def execute(
    found: Found,
    rater: Rater,
    out: Path,
    begin: Callable[[int, int], None] = lambda done, total: None,
    progress: Callable[[int], None] = lambda count: None,
) -> Outcome:
    """Rate what is not rated yet.

    Args:
        found: the texts.
        rater: by whom.
        out: the file of ratings.
        begin: called with the ratings that exist and the total, if any is missing.
        progress: called with the number of new attempts.

    Raises:
        CoSteerError: whatever is wrong; what was rated before is kept.
    """
    began = time.monotonic()
    wanted = [Wanted(text, score) for text in found.texts for score in rater.scores]
    with results.opened(out) as file:
        _require_same(rater, file)
        todo = pending(wanted, file.contents.ratings)
        failed = 0
        if todo:
            with rater.opened() as rate:
                begin(len(wanted) - len(todo), len(wanted))
                failed = _write(rate(todo), rater, file, progress)
    return Outcome(
        ratings=len(wanted) - failed,
        written=len(todo) - failed,
        failed=failed,
        skipped=found.skipped,
        not_kept=found.not_kept,
        seconds=time.monotonic() - began,
    )


def _write(
    opinions: Iterable[tuple[Wanted, Opinion]],
    rater: Rater,
    file: ResultFile,
    progress: Callable[[int], None],
) -> int:
    """Every opinion is written when it comes; how many are failures."""
    failed = 0
    for wanted, opinion in opinions:
        rating = {
            **wanted.identity,
            "rater": dict(rater.identity),
            "scores": {wanted.score: opinion.value},
            "attempts": opinion.attempts,
            "failure": opinion.failure,
        }
        file.rate(rating)
        failed += opinion.value is None
        progress(1)
    return failed


def pending(wanted: Iterable[Wanted], ratings: Iterable[Row]) -> list[Wanted]:
    """What no rating tells yet; one that failed tells nothing."""
    known = {
        (_key(rating), score)
        for rating in ratings
        for score, value in rating["scores"].items()
        if value is not None
    }
    return [one for one in wanted if (_key(one.identity), one.score) not in known]


def _key(identity: Mapping[str, Any]) -> tuple[object, ...]:
    return (results.key_of(identity), *(identity[name] for name in ("run", "texts", "answer")))


def _require_same(rater: Rater, file: ResultFile) -> None:
    """One file holds one rater's ratings of a kind, or no table could be made of it."""
    for rating in file.contents.ratings:
        for score, value in rating["scores"].items():
            if score in rater.scores and value is not None and rating["rater"] != rater.identity:
                raise InputError(
                    f"{file.path} holds ratings by {described(rating['rater'])}; these would be by "
                    f"{described(rater.identity)}.",
                    "Give another --out.",
                )


def described(rater: Mapping[str, Any]) -> str:
    """A rater for people."""
    more = ", ".join(f"{k} {str(v)[:16]}" for k, v in rater.items() if k not in ("kind", "name"))
    return f"{rater.get('name')} ({more})" if more else str(rater.get("name"))


def find(files: Iterable[Path], samples: Iterable[Unit]) -> Found:
    """The kept texts of all rows that belong to these samples.

    Raises:
        InputError: a file is missing or holds no rows of texts, texts were not kept, the data are
            others than those of the run, or no row belongs to them.
    """
    units = {(unit.task, unit.sample.id): unit for unit in samples}
    found: dict[str, Text] = {}
    skipped = not_kept = 0
    for path in files:
        rows = _rows(path)
        kept = texts.read_kept(texts_path(path))
        for row in rows:
            unit = units.get((row["task"], row["sample"]))
            if unit is None:
                skipped += 1
                continue
            _require_same_texts(row, unit)
            text = _text(row, kept.get(results.key_of(row), ()))
            if text is None:
                not_kept += 1
            else:
                place = json.dumps([row["run"], *results.key_of(row)])
                found.setdefault(place, Text(row, unit.sample, text))
    if not found and not_kept:
        raise InputError(f"The texts of all {not_kept} rows were not kept.", NOT_KEPT)
    if not found:
        raise InputError(
            "No row of these files belongs to a sample of the data.", "Check --tasks and --data."
        )
    return Found(list(found.values()), skipped, not_kept)


def _rows(path: Path) -> list[Row]:
    rows = [row for row in results.read(path).rows.values() if row["kind"] == "generate"]
    if not rows:
        raise InputError(
            f"{path} holds no rows of texts.", "Give what `--kind generate --keep-texts` wrote."
        )
    return rows


def _require_same_texts(row: Row, unit: Unit) -> None:
    if row["texts"] != unit.texts:
        raise InputError(
            f"The data hold other texts of {unit.task}'s sample {unit.sample.id} than the run had.",
            "Give the --data and the --split of the run.",
        )


def _text(row: Row, kept: Sequence[str]) -> str | None:
    """The row's text by its hash; old rows have none, and belong to the last text kept for them."""
    if "answer" not in row:
        return kept[-1] if kept else None
    return next((text for text in kept if texts.answer_hash(text) == row["answer"]), None)
