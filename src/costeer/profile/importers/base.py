"""What all importers share: what they yield, and how long texts become passages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone

from costeer.profile.records import Draft, Kind, normalize

PASSAGE = 1_200
"""Characters of a passage, some 300 tokens: several fit into what the small model reads."""
SHORTEST_SAMPLE = 40
"""Characters below which a text says little about how somebody writes."""

_PARAGRAPHS = re.compile(r"\n\n+")
_SENTENCES = re.compile(r"(?<=[.!?…。！？])\s+|\n")  # noqa: RUF001  # full-width marks are meant


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was left out, and why. ``where`` is a file, perhaps with a line number."""

    reason: str
    where: str = ""


Found = Draft | Skipped


def passages(text: str, longest: int = PASSAGE) -> Iterator[str]:
    """A text in pieces of at most ``longest`` characters, cut between paragraphs where possible.

    Where not: between sentences or lines, then between words, at last anywhere.
    """
    collected = ""
    for piece, gap in _pieces(normalize(text), longest):
        joined = f"{collected}{gap}{piece}" if collected else piece
        if len(joined) > longest:
            yield collected
            joined = piece
        collected = joined
    if collected:
        yield collected


def records_in(text: str) -> Iterator[str]:
    """The paragraphs of a text: one record each, as in a context file."""
    yield from (part for part in _PARAGRAPHS.split(normalize(text)) if part.strip())


def drafts(text: str, kind: Kind, title: str, source: str, written_at: str | None) -> list[Draft]:
    """Records of a text: paragraphs for facts and preferences, passages for the long kinds."""
    split = passages if kind in ("sample", "document") else records_in
    return [Draft(kind, part, title, source, written_at) for part in split(text)]


def samples(text: str, title: str, source: str, written_at: str | None) -> Iterator[Found]:
    """Something that a person wrote, as samples, unless it is too short to say anything."""
    if len(normalize(text)) < SHORTEST_SAMPLE:
        yield Skipped("too short", source)
    else:
        yield from drafts(text, "sample", title, source, written_at)


def utc(seconds: object) -> str | None:
    """A Unix time as ISO 8601; None for anything else."""
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        return None
    try:
        time = datetime.fromtimestamp(seconds, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _pieces(text: str, longest: int) -> Iterator[tuple[str, str]]:
    """Pieces that are short enough, each with what stands before it in the text."""
    for paragraph in _PARAGRAPHS.split(text):
        gap = "\n\n"
        for sentence in [paragraph] if len(paragraph) <= longest else _SENTENCES.split(paragraph):
            for part in _cut(sentence, longest):
                if part.strip():
                    yield part, gap
                    gap = " "


def _cut(sentence: str, longest: int) -> Iterator[str]:
    """A sentence in pieces, cut at the last blank that still fits, or in the middle of a word."""
    while len(sentence) > longest:
        end = sentence.rfind(" ", 1, longest + 1)
        end = end if end > 0 else longest
        yield sentence[:end]
        sentence = sentence[end:].lstrip()
    yield sentence
