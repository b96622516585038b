"""Which records a conversation reads, by rules that a person can foretell.

1. Preferences, then facts, each in the order of their numbers: every one that still fits into half
   of the budget. They are few, and the question need not name them ("dinner" finds no "vegan").
2. Then preferences and facts that share a word with the question, then samples and documents that
   share two, best first (BM25), every one that still fits: at the first question up to three
   quarters of the budget, later up to all of it.
3. A preference or fact that begins with ``[send]`` is sent to the large model instead.
4. What has been chosen stays, and its order too: a later question only appends, so that what the
   small model has read stays in its cache.

Pure functions of records; knows nothing of databases.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from costeer.profile.records import Record
from costeer.profile.sent import is_sent, unmark
from costeer.profile.store import Match

BUDGET = 6_000
"""Characters, some 1,500 tokens of English."""
PINNED_SHARE = 0.5
FIRST_SHARE = 0.75


@dataclass(frozen=True, slots=True)
class RecordChoice:
    """A record and why it is read, or why not."""

    record: Record
    reason: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Chosen:
    """What one question adds: ``read`` in order, and ``left_out`` for lack of room."""

    read: tuple[RecordChoice, ...] = ()
    left_out: tuple[RecordChoice, ...] = ()


def select(
    pinned: Sequence[Record],
    matches: Sequence[Match],
    budget: int = BUDGET,
    size: Callable[[str], int] = len,
) -> Chosen:
    """Choose for the first question of a conversation.

    Args:
        pinned: preferences and facts, in the order in which they are wanted.
        matches: what a search for the question found, best first.
        budget: the most that all texts together may have, in units of ``size``.
        size: of a text: characters, or tokens of a model.
    """
    first, used = _fit(_because_pinned(pinned), int(budget * PINNED_SHARE), 0, size)
    taken = {choice.record.id for choice in first.read}
    second, _ = _fit(_because_matched(matches, taken), int(budget * FIRST_SHARE), used, size)
    found = {choice.record.id for choice in second.read}
    left = (choice for choice in first.left_out if choice.record.id not in found)
    named = {choice.record.id for choice in first.left_out}
    more = (choice for choice in second.left_out if choice.record.id not in named)
    return Chosen(first.read + second.read, (*left, *more))


def select_more(
    chosen: Sequence[RecordChoice],
    matches: Sequence[Match],
    budget: int = BUDGET,
    size: Callable[[str], int] = len,
) -> Chosen:
    """What a later question appends to ``chosen``; arguments as for ``select``."""
    taken = {choice.record.id for choice in chosen}
    used = sum(size(choice.record.text) for choice in chosen)
    return _fit(_because_matched(matches, taken), budget, used, size)[0]


@dataclass
class Selection:
    """The records that one conversation reads; ``chosen`` only grows at its end."""

    budget: int = BUDGET
    size: Callable[[str], int] = len
    chosen: tuple[RecordChoice, ...] = ()
    _begun: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._begun = bool(self.chosen)

    def ask(self, pinned: Sequence[Record], matches: Sequence[Match]) -> Chosen:
        """Take in a question; what it added."""
        if self._begun:
            added = select_more(self.chosen, matches, self.budget, self.size)
        else:
            added = select(pinned, matches, self.budget, self.size)
        self._begun = True
        self.chosen += added.read
        return added


def context_list(choices: Iterable[RecordChoice]) -> list[str]:
    """The texts in order, one string a record; joined by blank lines, they are a context.

    Blank lines within a record go, because they would make several records of it.
    """
    records = (choice.record for choice in choices)
    texts = (record.text if is_sent(record) else unmark(record.text) for record in records)
    return ["\n".join(line for line in text.splitlines() if line.strip()) for text in texts]


def _because_pinned(records: Iterable[Record]) -> list[RecordChoice]:
    return [RecordChoice(record, _reason(record)) for record in records]


def _reason(record: Record) -> str:
    if is_sent(record):
        return "sent to the large model with every question"
    return f"pinned: every {record.kind} is read"


def _because_matched(matches: Iterable[Match], taken: set[int]) -> list[RecordChoice]:
    return [
        RecordChoice(match.record, f"matches: {', '.join(match.words)}")
        for match in matches
        if match.record.id not in taken
    ]


def _fit(
    choices: Iterable[RecordChoice], room: int, used: int, size: Callable[[str], int]
) -> tuple[Chosen, int]:
    """In order, every choice that still fits; and how much is used then."""
    read, left_out = [], []
    for choice in choices:
        length = size(choice.record.text)
        if used + length <= room:
            used += length
            read.append(choice)
        else:
            left_out.append(RecordChoice(choice.record, "left out: no room"))
    return Chosen(tuple(read), tuple(left_out)), used
