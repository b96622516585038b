"""Text as it is compared: without case, accents, width and invisible characters.

What a person types for the same name differs in all of these. A position of the folded text leads
back to the original, which is what gets rewritten.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

_PLAIN = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u02bc": "'", "\u00b4": "'", "\u2212": "-",
     "\u0131": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "æ": "ae", "œ": "oe"}
)  # fmt: skip
"""Quotes and dashes of one kind, and letters that Unicode does not take apart."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text.

    Attributes:
        text: what is compared.
        origin: for each of its characters, the index in the original; and at the end its length.
    """

    text: str
    origin: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int] | None:
        """The original's span; None where it would cut one of its characters in two."""
        cuts_start = start > 0 and self.origin[start] == self.origin[start - 1]
        cuts_end = end > start and self.origin[end] == self.origin[end - 1]
        return None if cuts_start or cuts_end else (self.origin[start], self.origin[end])


SIGN = "\ue002"
"""Stands for a sign that ends a word; a private-use character."""

_RUN = re.compile(r"[\x00-\x7f]+|.", re.DOTALL)
"""As much ASCII as there is in a row, or one other character."""

SHORT = 256
"""Characters of what is kept folded: values and their forms, which are compared again and again."""


def fold(text: str) -> Folded:
    """Fold a text, character by character, so that positions stay known."""
    return _fold_short(text) if len(text) <= SHORT else _fold(text)


def _fold(text: str) -> Folded:
    pieces: list[str] = []
    origin: list[int] = []
    for run in _RUN.finditer(text):
        if run[0].isascii():
            pieces.append(run[0].lower())
            origin += range(run.start(), run.end())
        else:
            piece = _fold_one(run[0])
            pieces.append(piece)
            origin += [run.start()] * len(piece)
    return Folded("".join(pieces), (*origin, len(text)))


_fold_short = lru_cache(4096)(_fold)


@lru_cache(4096)
def _fold_one(character: str) -> str:
    """NFKD, casefold, no combining marks and no format characters; one kind of dash and quote.

    A sign that NFKD spells out, such as a trade mark or a raised number, ends a word.
    """
    if character.isascii():
        return character.lower()
    plain = unicodedata.normalize("NFKD", character.translate(_PLAIN))
    spread = unicodedata.normalize("NFKD", plain.casefold())
    if _is_sign(character, spread):
        return SIGN
    kept = (c for c in spread.translate(_PLAIN) if unicodedata.category(c) not in ("Mn", "Cf"))
    return "".join("-" if unicodedata.category(c) == "Pd" else c for c in kept)


def _is_sign(character: str, spread: str) -> bool:
    kind = unicodedata.category(character)
    raised = kind == "No" and spread != character
    return raised or (kind == "So" and len(spread) > 1 and spread.isalnum())
