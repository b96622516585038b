"""Words of a private text that stand in another text, too: single ones, and four or more in a row.

Case and punctuation are ignored. Words of the language that everybody uses are given by the caller,
and so are the words that the person has typed. Knows nothing of where the texts come from.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

RUN = 4
"""Words in a row that count as a piece of the private text."""

SHORTEST = 3
"""Letters of a word that can identify; a digit identifies at any length."""

_WORD = re.compile(r"\w+(?:['\u2019]\w+)*")
_RECORD_BREAK = re.compile(r"\n[ \t]*\n\s*")
Gram = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shared:
    """What a text has in common with a private one.

    Attributes:
        words: distinctive words, case-folded, in the order of the text, each once.
        runs: pieces of ``RUN`` words and more, as they stand in the text, each once.
    """

    words: tuple[str, ...]
    runs: tuple[str, ...]


class Spans:
    """The distinctive words and the runs of a private text.

    Args:
        private: blank lines separate records; a run lies within one.
        common: words that identify nobody, in lower case.
        typed: what the person has sent anyway; its words and runs do not count.
    """

    def __init__(self, private: str, common: Collection[str], typed: str = "") -> None:
        given = set(split_words(typed))
        records = [split_words(record) for record in _RECORD_BREAK.split(_newlines(private))]
        self.words = {
            word
            for record in records
            for word in record
            if _identifies(word) and word not in common and word not in given
        }
        known = set(_grams(split_words(typed)))
        self.grams = {
            gram
            for record in records
            for gram in _grams(record)
            if gram not in known and any(_identifies(w) and w not in common for w in gram)
        }

    def find(self, text: str) -> Shared:
        """What of them stands in ``text``."""
        matches = list(_WORD.finditer(text))
        words = [_fold(match[0]) for match in matches]
        found = dict.fromkeys(word for word in words if word in self.words)
        runs = (
            " ".join(text[matches[begin].start() : matches[end - 1].end()].split())
            for begin, end in self._runs(words)
        )
        return Shared(tuple(found), tuple(dict.fromkeys(runs)))

    def _runs(self, words: list[str]) -> Iterator[tuple[int, int]]:
        """The first word of each run, and one past its last."""
        begin = end = 0
        for at, gram in enumerate(_grams(words)):
            if gram not in self.grams:
                continue
            if at >= end and end:
                yield begin, end
                end = 0
            begin = begin if end else at
            end = at + RUN
        if end:
            yield begin, end


def split_words(text: str) -> list[str]:
    """The words of a text, case-folded."""
    return [_fold(match[0]) for match in _WORD.finditer(text)]


def _fold(word: str) -> str:
    return word.casefold().replace("\u2019", "'")


def _identifies(word: str) -> bool:
    return len(word) >= SHORTEST or any(c.isdigit() for c in word)


def _grams(words: list[str]) -> Iterator[Gram]:
    return (tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1))


def _newlines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
