"""Replacing forms in a text by others: whole words, the longest first, with the case mirrored.

Used in both directions: real values to stand-ins before a model reads, and back for the display.
A plural or possessive ending stays what it is. Letters and digits that touch are words of their
own: "maren87", "105kg".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from costeer.privacy.folding import Folded, fold

_BETWEEN = r"[\s().\-/\[\]~·_]*,?"
_START, _END = r"(?<![^\W\d_])", r"(?=(?:e?s)?(?![^\W\d_]))"
_END_STRICT = r"(?![^\W\d_])"
_NO_DIGIT_BEFORE, _NO_DIGIT_AFTER = r"(?<!\d)", r"(?!\d)"


@dataclass(frozen=True, slots=True)
class Replacement:
    """What is looked for and what replaces it; see ``forms.Form`` for the rest."""

    old: str
    new: str
    separated: bool = False
    capital: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence, by its span in the text, and what belongs there."""

    start: int
    end: int
    new: str


class Rewriter:
    """Finds and replaces.

    Args:
        pairs: where several have the same ``old``, the first counts; one that folds to nothing is
            nowhere.
    """

    def __init__(self, pairs: list[Replacement]) -> None:
        pairs = [pair for pair in pairs if _is_something(pair)]
        self._pairs = sorted(pairs, key=lambda pair: -len(fold(pair.old).text))
        patterns = [f"(?P<f{i}>{_pattern(pair)})" for i, pair in enumerate(self._pairs)]
        begin = _begin(self._pairs)
        self._regex = re.compile(f"{begin}(?:{'|'.join(patterns)})") if patterns else None
        self._plain = {" ".join(fold(p.old).text.split()) for p in pairs if not p.separated}
        self._separated = {letters_and_digits(fold(p.old).text) for p in pairs if p.separated}
        self.longest = max((2 * len(fold(p.old).text) + 8 for p in pairs), default=0)

    def find(self, text: str, begin: int = 0) -> Iterator[Found]:
        """Occurrences from the left, none overlapping.

        Args:
            text: where to look.
            begin: index of the first character that may belong to one.
        """
        if self._regex is None:
            return
        folded = fold(text)
        at = next((i for i, origin in enumerate(folded.origin) if origin >= begin), 0)
        while match := self._regex.search(folded.text, at):
            found = self._accept(text, folded, match)
            if found is None:
                at = match.start() + 1
                continue
            while at < len(folded.text) and folded.origin[at] < found.end:
                at += 1
            yield found

    def rewrite(self, text: str, begin: int = 0) -> str:
        """The text from ``begin`` on with every occurrence replaced."""
        pieces, at = [], begin
        for found in self.find(text, begin):
            pieces += [text[at : found.start], found.new]
            at = found.end
        return "".join([*pieces, text[at:]])

    def may_begin(self, tail: str) -> bool:
        """Whether an occurrence may begin with ``tail``, once more text is known."""
        folded = fold(tail).text
        if len(folded) > self.longest + 64:
            return False
        words = re.sub(r"\s+", " ", folded)
        for ending in ("es", "s", ""):
            if any((form + ending).startswith(words) for form in self._plain):
                return True
        digits = letters_and_digits(folded)
        allowed = re.fullmatch(r"\+?(?:[^\W_](?:[^\W_]|[\s().\-/\[\]~·,_])*)?", folded)
        return bool(allowed) and any(form.startswith(digits) for form in self._separated)

    def _accept(self, text: str, folded: Folded, match: re.Match[str]) -> Found | None:
        """What stands at a match: the longest form that may stand there."""
        longest = self._pairs[int((match.lastgroup or "f0")[1:])]
        found = _occurrence(text, folded, match, longest)
        for pair in self._pairs if found is None else ():
            shorter = _compiled(pair).match(folded.text, match.start())
            found = found or (shorter and _occurrence(text, folded, shorter, pair))
        return found


def _occurrence(text: str, folded: Folded, match: re.Match[str], pair: Replacement) -> Found | None:
    span = folded.span(match.start(), match.end())
    if span is None:
        return None
    occurrence = text[span[0] : span[1]]
    words = re.findall(r"[^\W\d_]+", occurrence)
    if pair.capital and not all(word[0].isupper() for word in words):
        return None
    return Found(*span, mirror_case(occurrence, pair.old, pair.new))


def mirror_case(occurrence: str, usual: str, new: str) -> str:
    """``new`` in capitals or in small letters where the occurrence, unlike usual, is so written."""
    if occurrence.isupper() and not usual.isupper() and sum(map(str.isalpha, occurrence)) > 1:
        return new.upper()
    if occurrence.islower() and not usual.islower():
        return new.lower()
    return new


@lru_cache(1024)
def _compiled(pair: Replacement) -> re.Pattern[str]:
    return re.compile(_pattern(pair))


def _pattern(pair: Replacement) -> str:
    """A regular expression over folded text."""
    folded = fold(pair.old).text
    if pair.separated:
        characters = letters_and_digits(folded)
        body = _BETWEEN.join(map(re.escape, characters))
        return r"\+?" + _start(characters) + body + _end(characters, _END_STRICT)
    body = r"\s+".join(re.escape(piece) for piece in folded.split())
    return _start(folded) + body + _end(folded, _END)


def _start(folded: str) -> str:
    if folded[:1].isdigit():
        return _NO_DIGIT_BEFORE
    return _START if _bounded(folded[:1]) else ""


def _end(folded: str, of_word: str) -> str:
    if folded[-1:].isdigit():
        return _NO_DIGIT_AFTER
    return of_word if _bounded(folded[-1:]) else ""


def _is_something(pair: Replacement) -> bool:
    folded = fold(pair.old).text
    return bool(letters_and_digits(folded) if pair.separated else folded.strip())


def _begin(pairs: list[Replacement]) -> str:
    """Where any of the patterns can match at all; without it a search takes five times as long."""
    words: set[str] = set()
    others = {"+"}
    for pair in pairs:
        folded = fold(pair.old).text
        first = letters_and_digits(folded)[:1] if pair.separated else folded.lstrip()[:1]
        starts_word = _start(letters_and_digits(folded) if pair.separated else folded) == _START
        (words if starts_word else others).add(first)
    return f"{_any(words | others)}(?:{_START}{_any(words)}|{_any(others)})"


def _any(characters: set[str]) -> str:
    return f"(?=[{re.escape(''.join(sorted(characters)))}])" if characters else "(?!)"


def _bounded(character: str) -> bool:
    """Whether words of its script are separated: not those of East and South-East Asia."""
    return character.isalnum() and not (
        0x0E00 <= ord(character) <= 0x109F or ord(character) >= 0x2E80
    )


def letters_and_digits(text: str) -> str:
    """A text without what stands between them."""
    return "".join(c for c in text if c.isalnum())
