"""Names of people in free text: by a list of given names, and by what stands beside a name.

It reads a text in which every value that is known already is masked, as ``entities`` does, so that
no known value decides whether another one is found. A mask of a name counts as a name. Whether
anything else is found depends on whether it, or a name that it is written with, is on the list.

The list is in ``data`` (see its README for the sources). Given names that are words or places too
are in a list of their own, and count only inside a sentence, after a word in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from costeer.privacy.detect import make_value
from costeer.privacy.finding import MASK, pairs_to_find
from costeer.privacy.folding import fold
from costeer.privacy.pools import NO_NAMES, WORDS_TOO, given_names, given_names_inside
from costeer.privacy.rewriting import Rewriter
from costeer.privacy.values import Value

_OTHER_MASK = "\ue001"
_CAPITAL = r"[^\W\d_a-zß-öø-ÿ]"
_WORD = rf"{_CAPITAL}\w*(?:['\u2019]{_CAPITAL}\w+)?(?:-{_CAPITAL}\w*)*"
_PARTICLE = r"(?:(?:van|von|der|den|de|del|della|da|di|du|la|le|el|al|bin|ibn) ){0,3}"
_ONE = rf"(?:{_WORD}|{MASK})"
_START = r"(?<![\w@#./'\u2019\-])"
_FIRST = re.compile(rf"(?=[^\W\d_a-z]|{MASK}){_START}{_ONE}")
_SURNAME = re.compile(rf" {_PARTICLE}(?:{_CAPITAL}\. )?({_ONE})(?!\w)")
_MEMBER = re.compile(rf"{_ONE}(?: {_ONE})?")
_GROUP = re.compile(
    rf"{_START}{_MEMBER.pattern}(?:, {_MEMBER.pattern}){{0,9}},? and {_MEMBER.pattern}(?![\w\-])"
)
_CAPS = 5
"""Letters from which on a word in capitals counts; shorter ones are mostly abbreviations."""

_BEFORE = re.compile(
    r"\b(?:St\.?|Saint|San|Santa|Lake|Mount|Mt\.?|Camp|Fort|Port|Hotel|Hurricane|Café|Cafe|Villa"
    r"|Prince|Princess|King|Queen|Pope|Aloe) $"
)
_AFTER = re.compile(
    r"(?:'s|\u2019s)? (?:Street|Road|Avenue|University|College|School|Hospital|Park|Institute|Museum"
    r"|Foundation|Award|Prize|Church|Cathedral|Bridge|Airport|County|City|Islands?|River|Beach"
    r"|Valley|Trench|Motors|Collection|Cent(?:er|re)|Library|Hotel|Inc|Ltd|LLC|Corp|Group|Bank|Day|Fashion|Falls|Bay)\b"
)
_LAST_WORD = re.compile(r"(?<![\w'\u2019])(\w+) $")
_LOOK_BACK = 20
_NOT_INSIDE = frozenset(
    "a an the this that every each no and or in near at around across through of from to via visit "
    "visiting visited outside".split()
)


@dataclass(frozen=True, slots=True)
class _Name:
    """A name's span in a masked text."""

    start: int
    end: int


def find_names(text: str, known: Sequence[Value]) -> list[Value]:
    """The names in a text that are not among the known values, each once, in their order.

    Args:
        text: a record of a context.
        known: all values that are confirmed, or found by rules, wherever they stand.
    """
    masked = _mask(text, known)
    listed = list(_listed(masked))
    names = [*listed, *_grouped(masked, listed)]
    found: dict[str, Value] = {}
    for name in sorted(names, key=lambda name: name.start):
        for part in masked[name.start : name.end].split(MASK):
            value = make_value(part, "name")
            if value is not None:
                found.setdefault(value.text.casefold(), value)
    return list(found.values())


def _mask(text: str, known: Sequence[Value]) -> str:
    """The text with one mark for each known name, and another for each other known value."""
    folded = fold(text).text
    pairs = [
        replace(pair, new=MASK if value.kind == "name" else _OTHER_MASK)
        for value in known
        for pair in pairs_to_find(value)
        if pair.separated or all(word in folded for word in fold(pair.old).text.split())
    ]
    return Rewriter(pairs).rewrite(text)


def _listed(text: str) -> Iterator[_Name]:
    """Given names, and masked names, with the surname behind them."""
    at = 0
    while match := _FIRST.search(text, at):
        at = match.end()
        if match[0] == MASK or _is_given(text, match):
            at = _end_of_name(text, match.end())
            if not (_AFTER.match(text, match.end()) or _AFTER.match(text, at)):
                yield _Name(match.start(), at)


def _is_given(text: str, match: re.Match[str]) -> bool:
    """Whether a word with a capital is a given name where it stands."""
    folded = fold(match[0]).text
    listed = folded in given_names() or any(w in given_names() for w in folded.split("-"))
    if _is_abbreviation(match[0]) or not (listed or folded in given_names_inside()):
        return False
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    return not _BEFORE.search(before) and (listed or _is_inside(before))


def _is_inside(before: str) -> bool:
    """Whether a sentence has begun, and the next word is no thing and no place."""
    last = _LAST_WORD.search(before)
    return last is not None and last[1].islower() and last[1] not in _NOT_INSIDE


def _is_abbreviation(word: str) -> bool:
    return word.isupper() and len(word) < _CAPS


def _end_of_name(text: str, end: int) -> int:
    """Where a name ends that begins with a given name which ends at ``end``."""
    match = _SURNAME.match(text, end)
    if match is None or not _is_surname(match[1], text):
        return end
    after = _SURNAME.match(text, match.end())
    if after is not None and after[1].lower() not in NO_NAMES and after[1] != MASK:
        return end  # more than two words with a capital are mostly a title
    return match.end()


def _is_surname(word: str, text: str) -> bool:
    """Whether a word with a capital may be a name beside one; if the text has it in small letters, it is a word."""
    lower = word.lower()
    return word == MASK or not (
        len(word) < 2
        or " " in word
        or _is_abbreviation(word)
        or lower in NO_NAMES
        or (lower not in WORDS_TOO and _has_word(text, lower))
    )


def _grouped(text: str, names: Sequence[_Name]) -> Iterator[_Name]:
    """The others of "Owen, Piers and Ada", where at least half of them are names."""
    if not names:
        return
    covered = {at for name in names for at in range(name.start, name.end)}
    for group in _GROUP.finditer(text):
        members = [
            _Name(group.start() + one.start(), group.start() + one.end())
            for one in _MEMBER.finditer(group[0])
        ]
        others = [one for one in members if covered.isdisjoint(range(one.start, one.end))]
        if 2 * len(others) <= len(members):
            yield from (one for one in others if _is_surname(text[one.start : one.end], text))


def _has_word(text: str, word: str) -> bool:
    return word in text and re.search(rf"\b{re.escape(word)}\b", text) is not None
