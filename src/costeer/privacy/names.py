"""Names of people in free text: by a list of given names, and by what stands beside a name.

It reads a text in which every value that is known already is masked, as ``entities`` does, so that
no known value decides whether another one is found. A mask of a name counts as a name. Whether
anything else is found depends on whether it, or a name that it is written with, is on the list.

The list is in ``data`` (see its README for the sources). Given names that are words or places too
are in a list of their own, and count only inside a sentence, after a word in small letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from costeer.privacy.detect import make_value
from costeer.privacy.finding import MASK, pairs_to_find
from costeer.privacy.folding import fold
from costeer.privacy.pools import NO_NAMES, WORDS_TOO, given_names, given_names_inside
from costeer.privacy.rewriting import Replacement, Rewriter, letters_and_digits
from costeer.privacy.values import Value

Span = tuple[int, int]

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
    r"(?:'s|\u2019s)? (?:Street|Road|Avenue|University|College|School|Hospital|Park|Institute"
    r"|Museum|Foundation|Award|Prize|Church|Cathedral|Bridge|Airport|County|City|Islands?|River"
    r"|Beach|Bay|Falls|Valley|Trench|Motors|Collection|Cent(?:er|re)|Library|Hotel|Inc|Ltd|LLC|Corp"
    r"|Group|Bank|Day|Fashion)\b"
)
"""Such words make a name that of a place or a firm, as do those of ``_BEFORE``."""
_SMALL = re.compile(r"\b[^\W\dA-Z_]\w*")
_LOOK_BACK = 20
"""Characters before a name that are looked at."""

_LAST_WORD = re.compile(r"(?<![\w'\u2019])(\w+) $")
_NOT_INSIDE = frozenset(
    ["a", "an", "the", "this", "that", "every", "each", "no", "my", "your", "his", "her", "our",
     "their", "and", "or", "in", "near", "at", "around", "across", "through", "outside", "of",
     "from", "to", "via", "visit", "visiting", "visited"]
)  # fmt: skip


def find_names(text: str, known: Sequence[Value]) -> list[Value]:
    """The names in a text that are not among the known values, each once, in their order.

    Args:
        text: a record of a context.
        known: all values that are confirmed, or found by rules, wherever they stand.
    """
    masked = _mask(text, known)
    words = frozenset(_SMALL.findall(masked))
    listed = list(_listed(masked, words))
    names = [*listed, *_grouped(masked, listed, words)]
    found: dict[str, Value] = {}
    for span in sorted(names):
        for part in masked[slice(*span)].split(MASK):
            value = make_value(part, "name")
            if value is not None:
                found.setdefault(value.text.casefold(), value)
    return list(found.values())


def _mask(text: str, known: Sequence[Value]) -> str:
    """The text with one mark for each known name, and another for each other known value."""
    folded = fold(text).text
    together = letters_and_digits(folded)
    pairs = [
        replace(pair, new=MASK if value.kind == "name" else _OTHER_MASK)
        for value in known
        for pair in pairs_to_find(value)
        if _may_stand_in(pair, folded, together)
    ]
    return Rewriter(pairs).rewrite(text)


def _may_stand_in(pair: Replacement, folded: str, together: str) -> bool:
    """A quick look, because a pattern takes longer to make than to search for."""
    old = fold(pair.old).text
    if pair.separated:
        return letters_and_digits(old) in together
    return all(word in folded for word in old.split())


def _listed(text: str, words: Set[str]) -> Iterator[Span]:
    """Given names, and masked names, with the surname behind them."""
    at = 0
    while match := _FIRST.search(text, at):
        at = match.end()
        if match[0] == MASK or _is_given(text, match):
            at = _end_of_name(text, match.end(), words)
            if not (_AFTER.match(text, match.end()) or _AFTER.match(text, at)):
                yield match.start(), at


def _is_given(text: str, match: re.Match[str]) -> bool:
    """Whether a word with a capital is a given name where it stands."""
    folded = fold(match[0]).text
    listed = folded in given_names() or any(w in given_names() for w in folded.split("-"))
    if not (_is_capitalised(match[0]) and (listed or folded in given_names_inside())):
        return False
    before = text[max(0, match.start() - _LOOK_BACK) : match.start()]
    return not _BEFORE.search(before) and (listed or _is_inside(before))


def _is_inside(before: str) -> bool:
    """Whether a sentence has begun, and the next word is no thing and no place."""
    last = _LAST_WORD.search(before)
    return last is not None and last[1].islower() and last[1] not in _NOT_INSIDE


def _is_capitalised(word: str) -> bool:
    """Whether a word has a capital, and is no abbreviation."""
    return word[0].isupper() and len(word) > 1 and (len(word) >= _CAPS or not word.isupper())


def _end_of_name(text: str, end: int, words: Set[str]) -> int:
    """Where a name ends that begins with a given name which ends at ``end``."""
    match = _SURNAME.match(text, end)
    if match is None or not _may_be_name(match[1], words):
        return end
    after = _SURNAME.match(text, match.end())
    if after is not None and after[1].lower() not in NO_NAMES and after[1] != MASK:
        return end  # three words with a capital are mostly a title
    return match.end()


def _may_be_name(word: str, words: Set[str]) -> bool:
    """Whether a word beside a name may be one: not if the text has it in small letters, too."""
    lower = word.lower()
    return word == MASK or (
        _is_capitalised(word)
        and " " not in word
        and lower not in NO_NAMES
        and (lower in WORDS_TOO or lower not in words)
    )


def _grouped(text: str, names: Sequence[Span], words: Set[str]) -> Iterator[Span]:
    """The others of "Owen, Piers and Ada", where at least half of them are names."""
    if not names:
        return
    covered = {at for name in names for at in range(*name)}
    for group in _GROUP.finditer(text):
        members = [
            (group.start() + one.start(), group.start() + one.end())
            for one in _MEMBER.finditer(group[0])
        ]
        others = [one for one in members if covered.isdisjoint(range(*one))]
        if 2 * len(others) <= len(members):
            yield from (one for one in others if _may_be_name(text[slice(*one)], words))
