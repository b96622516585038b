"""Words of a question that stand in private text too, and look like facts about somebody.

A plain rule: names are words with a capital that begin no sentence, numbers have three digits or
more, addresses are those of mail and of the web. It knows nothing of what the words mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Kind = Literal["address", "number", "name"]

_KINDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    (
        "address",
        re.compile(
            r"(?<![\w.+-])[\w.+-]{1,64}@[\w-]+(?:\.[\w-]+)+|https?://[^\s<>\"]+|www\.[^\s<>\"]+"
        ),
    ),
    ("number", re.compile(r"(?<!\w)[+#]?\d(?:[\d .,:/-]{0,40}\d)?(?!\w)")),
    ("name", re.compile(r"(?<!\w)[^\W\d_](?:[\w'\u2019-]{0,60}\w)")),
)
_SENTENCE_END = re.compile(r"(?:^|[.!?:\n])[\s\"'\u201c\u201e(*_-]*$")
MOST = 50
LONGEST = 20_000
"""Characters of a question that are looked at, and five times as many of each private text."""


@dataclass(frozen=True, slots=True)
class Exposed:
    """A word of the question, and what it looks like."""

    text: str
    kind: Kind


def find(question: str, private: Iterable[str]) -> list[Exposed]:
    """What of a question stands literally in private text, each once, in order of kinds."""
    question, texts = question[:LONGEST], [text[: 5 * LONGEST] for text in private]
    found: dict[str, Exposed] = {}
    for kind, pattern in _KINDS:
        for match in pattern.finditer(question):
            word = match.group().rstrip(".,;:!?)")
            if word in found or not _looks_like(kind, word, question, match.start()):
                continue
            if any(_stands_in(word, text) for text in texts):
                found[word] = Exposed(word, kind)
    return list(found.values())[:MOST]


def _looks_like(kind: Kind, word: str, question: str, start: int) -> bool:
    if kind == "number":
        return sum(character.isdigit() for character in word) >= 3
    if kind == "name":
        return word[0].isupper() and not _SENTENCE_END.search(question[:start][-20:])
    return True


def _stands_in(word: str, text: str) -> bool:
    return word in text and bool(re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text))
