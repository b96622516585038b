"""What a benchmark is: a name, the metrics that suit it, and samples loaded from a source.

Every text of a sample but its query is private, so a sample's repr shows its id alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from costeer.exceptions import ParameterError

if TYPE_CHECKING:
    from costeer_evals.retrieval import Ranker

Metric: TypeAlias = Literal["overlap", "judge", "armorm"]
"""The published metrics: ROUGE and METEOR; the CoGenesis judge; the ArmoRM reward."""

Split: TypeAlias = Literal["train", "val", "test"]


@dataclass(frozen=True, slots=True)
class Record:
    """Something that the user wrote earlier."""

    title: str = field(repr=False)
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """One row of a benchmark.

    Attributes:
        id: unique within its task.
        query: the public user turn; what the branches without context see.
        context_prompt: the private user turn, which holds the query as well; what the branches
            with context see.
        reference: the text to compare with, if the benchmark has one.
        group: samples of one group (the same question, the same user) are resampled together.
        profile: what is known about the user, for the judge.
        history: what the user wrote, in the order of the prompt; for the judge and the trivial
            baselines.
        preference: the instruction that the context adds, for the reward model.
        context: what a person would give to CoSteer as the context; records are separated by blank
            lines.
        kind: the kind of request, for tables.
        needs: a regular expression that an answer which respects the person matches; see
            ``metrics.adherence``.
        forbids: one that it does not match.
        half: "tune" or "test" where the benchmark says so itself.
        options: answers to score instead of a reference; the first is the right one.
    """

    id: str
    query: str = field(repr=False)
    context_prompt: str = field(repr=False)
    reference: str | None = field(repr=False)
    group: str = field(repr=False)
    profile: str = field(default="", repr=False)
    history: tuple[Record, ...] = field(default=(), repr=False)
    preference: str = field(default="", repr=False)
    context: str = field(default="", repr=False)
    kind: str = field(default="", repr=False)
    needs: str | None = field(default=None, repr=False)
    forbids: str | None = field(default=None, repr=False)
    half: str = field(default="", repr=False)
    options: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """What to load.

    Attributes:
        split: of benchmarks whose files come split.
        limit: the most rows of the source, from its start; None is all of them.
        ranker: how the records of a user are ranked, where a benchmark leaves that open;
            None is BM25.
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
        """Its name in the registry."""
        ...

    @property
    def metrics(self) -> frozenset[Metric]:
        """The metrics that were published for it."""
        ...

    def load(self, source: Path | None, options: LoadOptions) -> list[Sample]:
        """Load samples.

        Args:
            source: a file or a folder; None is the hub.
            options: which of them.

        Raises:
            InputError: the source is missing, or a row of it lacks something.
        """
        ...
