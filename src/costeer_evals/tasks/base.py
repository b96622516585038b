"""What a benchmark is: a name, the metrics published for it, and samples loaded from a source.

Every text of a sample except its query is private, so a sample's repr shows only its id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from costeer.exceptions import ParameterError

if TYPE_CHECKING:
    from costeer_evals.retrieval import Ranker

Split: TypeAlias = Literal["train", "val", "test"]
Metric: TypeAlias = Literal["overlap", "judge", "armorm"]
"""The published metrics: ROUGE and METEOR; the CoGenesis judge; the ArmoRM reward."""


@dataclass(frozen=True, slots=True)
class PastText:
    """A text that the user wrote earlier."""

    title: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a benchmark.

    Attributes:
        id: unique within its task.
        query: the public user turn, which branches without context see.
        context_prompt: the private user turn, which includes the query; branches with context see
            it.
        reference: the text to compare with, if the benchmark has one.
        group: samples of one group (the same question, the same user) are resampled together.
        profile: the facts about the user, for the judge.
        history: the user's earlier texts, in the order of the prompt; for the judge and the copy
            baselines.
        preference: the instruction that the context adds, for the reward model.
        context: what a person would give CoSteer as the context; blank lines separate records.
        kind: the kind of request, for tables.
        needs: a regular expression that an answer matches if it respects the person; see
            ``metrics.adherence``.
        forbids: a regular expression that such an answer does not match.
        asides: regular expressions, one for each fact of the context that the request does not
            need.
        half: "tune" or "test", if the benchmark divides its samples itself.
        options: answers to score instead of a reference; the first is the right one.
    """

    id: str
    query: str = field(repr=False)
    context_prompt: str = field(repr=False)
    reference: str | None = field(repr=False)
    group: str = field(repr=False)
    profile: str = field(default="", repr=False)
    history: tuple[PastText, ...] = field(default=(), repr=False)
    preference: str = field(default="", repr=False)
    context: str = field(default="", repr=False)
    kind: str = field(default="", repr=False)
    needs: str | None = field(default=None, repr=False)
    forbids: str | None = field(default=None, repr=False)
    asides: tuple[str, ...] = field(default=(), repr=False)
    half: str = field(default="", repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What to load.

    Attributes:
        split: for benchmarks that have splits.
        limit: use only this many rows, from the start of the source; None for all.
        ranker: ranks a user's records, for benchmarks that leave that open; None for BM25.
    """

    split: Split = "test"
    limit: int | None = None
    ranker: Ranker | None = None

    def __post_init__(self) -> None:
        if self.limit is not None and self.limit < 1:
            raise ParameterError(f"The limit must be 1 or more, not {self.limit}.")


class Task(Protocol):
    """A benchmark."""

    @property
    def name(self) -> str:
        """The name in the registry."""
        ...

    @property
    def metrics(self) -> frozenset[Metric]:
        """The metrics that were published for it."""
        ...

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load samples.

        Args:
            source: a file or a folder; None for the hub.
            options: which samples.

        Raises:
            InputError: the source is missing, or a row lacks something.
        """
        ...
