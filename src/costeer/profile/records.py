"""A record: one thing that a profile keeps. Knows nothing of databases or files."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal, get_args

from costeer.exceptions import InputError

Kind = Literal["preference", "fact", "sample", "document"]
KINDS: tuple[Kind, ...] = get_args(Kind)
PINNED: tuple[Kind, ...] = ("preference", "fact")
"""Kinds that every conversation reads, in this order, as far as they fit."""
WRITTEN: tuple[Kind, ...] = ("sample", "document")
"""Kinds that a conversation reads only where they have to do with its questions."""

LONGEST = 100_000
"""Characters of one record: far more than a small model reads at once."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """A record before it is stored.

    ``source`` says where the text came from, ``written_at`` when it was written (ISO 8601, UTC),
    if that is known.
    """

    kind: Kind
    text: str
    title: str = ""
    source: str = ""
    written_at: str | None = None
    active: bool = True

    def __repr__(self) -> str:
        """Without the text: a ``repr`` ends up in logs and tracebacks."""
        return f"Draft(kind={self.kind!r}, {len(self.text)} characters)"


@dataclass(frozen=True, slots=True, repr=False)
class Record(Draft):
    """A stored record. An inactive one is kept and never read by a model."""

    id: int = 0
    created_at: str = ""
    changed_at: str = ""

    def __repr__(self) -> str:
        """Without the text, too."""
        return f"Record(id={self.id}, kind={self.kind!r}, {len(self.text)} characters)"


def as_kind(name: str) -> Kind:
    """Check the name of a kind.

    Raises:
        InputError: there is no such kind.
    """
    for kind in KINDS:
        if name == kind:
            return kind
    raise InputError(f"{name!r} is no kind of record.", f"The kinds are: {', '.join(KINDS)}.")


def normalize(text: str) -> str:
    """Text as it is stored: line ends as "\\n", no control characters, nothing around it."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = encodable(_CONTROL.sub(" ", text))
    return "\n".join(line.rstrip() for line in text.split("\n")).strip()


def encodable(text: str) -> str:
    """Text without halves of surrogate pairs, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def check(draft: Draft) -> Draft:
    """The draft with its texts normalized.

    Raises:
        InputError: there is no text, it is too long, or the kind does not exist.
    """
    text = normalize(draft.text)
    if not text:
        raise InputError("The record is empty.", "Give it some text.")
    if len(text) > LONGEST:
        raise InputError(
            f"The record has {len(text):,} characters; the most is {LONGEST:,}.",
            "Import it as a file: importing splits long texts (costeer profile import).",
        )
    return Draft(
        as_kind(draft.kind),
        text,
        normalize(draft.title),
        normalize(draft.source),
        draft.written_at,
        draft.active,
    )


def digest(kind: str, text: str) -> bytes:
    """SHA-256 by which the same content is recognised, however its blanks are set."""
    content = " ".join(unicodedata.normalize("NFC", text).split())
    return hashlib.sha256(f"{kind}\0{content}".encode()).digest()
