"""LongLaMP: write an abstract, a review or a post for a user with known earlier ones.

Data: hub data set LongLaMP/LongLaMP (arXiv 2407.11016), or its Parquet or JSON-lines files, or
the ``longlamp_*.jsonl`` of github.com/USTC-StarTeam/CoSteer, whose ``top_5`` is then used as it
is. Otherwise the five best records by a ranker are taken; the paper uses bge-reranker-v2-m3.

The paper does not say whether it uses the "user" or the "temporal" setting, nor which text of a
record the reranker reads; here it is the fields that LongLaMP's own retrieval joins.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from costeer.exceptions import InputError
from costeer_evals.retrieval import Bm25, Ranker
from costeer_evals.tasks import hub, rows
from costeer_evals.tasks.base import LoadOptions, Metric, PastText, Sample

HUB = "LongLaMP/LongLaMP"
TOP = 5
Setting = Literal["user", "temporal"]


@dataclass(frozen=True, slots=True)
class Kind:
    """What differs between the three tasks.

    Attributes:
        config: the name of the hub's data set, without the setting.
        user: the key of the user's id.
        heading: the first line of the private prompt.
        labels: the labels of a record's two parts in the prompt.
        keys: the keys of these two parts in a record.
        searched: the keys of a record that the ranker reads.
    """

    config: str
    user: str
    heading: str
    labels: tuple[str, str]
    keys: tuple[str, str]
    searched: tuple[str, ...]


KINDS = {
    "abstract": Kind(
        config="abstract_generation",
        user="name",
        heading="The following are five titles with their abstracts.",
        labels=("Title", "Abstract"),
        keys=("title", "abstract"),
        searched=("title", "abstract"),
    ),
    "review": Kind(
        config="product_review",
        user="reviewerId",
        heading="The following are product descriptions with their user reviews.",
        labels=("Product", "Review"),
        keys=("description", "reviewText"),
        searched=("overall", "summary", "description", "reviewText"),
    ),
    "topic": Kind(
        config="topic_writing",
        user="author",
        heading="The following are reddit post summaries with their content.",
        labels=("Summary", "Content"),
        keys=("summary", "content"),
        searched=("summary", "content"),
    ),
}


def render(kind: Kind, records: Sequence[PastText], query: str) -> str:
    """Render the private user turn as the authors do."""
    first, second = kind.labels
    items = (
        f"{first}[{i}]: {record.title}\n{second}[{i}]: {record.text}\n"
        for i, record in enumerate(records, start=1)
    )
    return "\n".join([kind.heading, *items, "Now it's your turn\n", query])


@dataclass(frozen=True, slots=True)
class LongLamp:
    """One of the three tasks in one setting."""

    name: str
    kind: Kind
    setting: Setting
    metrics: frozenset[Metric] = frozenset({"overlap"})

    @property
    def config(self) -> str:
        """Its name on the hub, e.g. abstract_generation_user."""
        return f"{self.kind.config}_{self.setting}"

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load a file, or a folder of files named by split; see ``Task.load``."""
        ranker = options.ranker or Bm25()
        return [self._sample(row, ranker) for row in self._rows(source, options)]

    def _rows(self, source: Path | None, options: LoadOptions) -> Iterable[rows.DataRow]:
        if source is None:
            return hub.read(HUB, self.config, options.split, options.limit)
        if not source.is_dir():
            return rows.read(source, options.limit)
        found: list[rows.DataRow] = []
        for file in self._files(source, options.split):
            if options.limit is None or len(found) < options.limit:
                found += rows.read(file, options.limit and options.limit - len(found))
        return found

    def _files(self, folder: Path, split: str) -> list[Path]:
        places = (folder / self.config, folder)
        for place in places:
            for ending in ("parquet", "jsonl", "json"):
                if files := sorted(place.glob(f"{split}*.{ending}")):
                    return files
        raise InputError(
            f"{folder} has no files of the split {split!r}.",
            f"They are named {self.config}/{split}-00000-of-00001.parquet or {split}.jsonl.",
        )

    def _sample(self, row: rows.DataRow, ranker: Ranker) -> Sample:
        query = row.text("input")
        history = self._history(row, query, ranker)
        return Sample(
            id=row.name("id") if row.values.get("id") is not None else str(row.number - 1),
            query=query,
            context_prompt=render(self.kind, history, query),
            reference=row.text("output"),
            group=row.name(self.kind.user),
            history=history,
            context="\n\n".join(f"{record.title}\n{record.text}" for record in history),
        )

    def _history(self, row: rows.DataRow, query: str, ranker: Ranker) -> tuple[PastText, ...]:
        """The five best records; fewer where the user has fewer."""
        if "top_5" in row.values:
            chosen = row.rows("top_5")[:TOP]
        else:
            records = row.rows("profile")
            texts = [self._searched_text(record) for record in records]
            chosen = [records[i] for i in ranker.rank(query, texts)[:TOP]]
        return tuple(
            PastText(*(_as_text(record, key) for key in self.kind.keys)) for record in chosen
        )

    def _searched_text(self, record: rows.DataRow) -> str:
        return " ".join(_as_text(record, key) for key in self.kind.searched)


def _as_text(record: rows.DataRow, key: str) -> str:
    """A record's field as text; blank is allowed (a product may have no description)."""
    value = record.values.get(key)
    if not isinstance(value, (str, int, float)):
        raise record.error(f"there is no text under {key!r}.")
    return str(value)


SETTINGS: tuple[Setting, ...] = ("user", "temporal")
TASKS = tuple(
    LongLamp(
        f"longlamp-{kind}" + ("" if setting == "user" else f"-{setting}"), KINDS[kind], setting
    )
    for setting, kind in product(SETTINGS, KINDS)
)
