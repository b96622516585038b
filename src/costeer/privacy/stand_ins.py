"""The stand-ins of one conversation: drawn once, kept while it lasts, in both directions.

The guarantee is non-interference: what is rewritten is a function of the text around the values, of
their kinds and of chance; never of the values. So is every byte that the models make of it.
"""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from costeer.exceptions import GuardError
from costeer.privacy.drawing import draw, draw_word
from costeer.privacy.finding import MASK, pairs_to_find
from costeer.privacy.folding import fold
from costeer.privacy.forms import (
    WITHHELD,
    Form,
    double_parts,
    has_title,
    name_forms,
    name_words,
    value_forms,
)
from costeer.privacy.pools import SHARED
from costeer.privacy.restore import Restorer
from costeer.privacy.rewriting import Replacement, Rewriter
from costeer.privacy.values import Value

_TRIES = 200
_ROUNDS = 8


class StandIns:
    """What stands for what.

    Args:
        rng: where stand-ins are drawn from; the operating system's randomness by default.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or secrets.SystemRandom()
        self._values: dict[tuple[str, bool], Value] = {}
        self._words: dict[str, str] = {}  # a name's folded word: its stand-in
        self._drawn: set[str] = set()  # the words of all stand-ins
        self._forms: list[Form] = []
        self._to_wire = self._to_mask = Rewriter([])

    @property
    def active(self) -> bool:
        """Whether anything is replaced."""
        return bool(self._forms)

    @property
    def words(self) -> frozenset[str]:
        """The words of all stand-ins, folded, without those that several of them may have."""
        return frozenset(word for word in self._drawn - SHARED if word.isalnum())

    def admit(self, values: Iterable[Value], texts: Iterable[str]) -> None:
        """Draw stand-ins for the values that have none.

        Args:
            values: those that are not open.
            texts: what will be rewritten: a stand-in must not stand there by itself.

        Raises:
            GuardError: no stand-in is left.
        """
        new: dict[tuple[str, bool], Value] = {}
        for value in values:
            key = fold(value.text).text, value.text.islower()
            if value.level != "open" and key not in self._values:
                new.setdefault(key, value)
        if not new:
            return
        self._values |= new
        mask = Rewriter([p for value in new.values() for p in pairs_to_find(value)])
        around = fold(" ".join(mask.rewrite(self._masked(text)) for text in texts)).text
        taken = set(re.findall(r"[^\W_]+", around))
        for value in new.values():
            self._forms += self._new_forms(value, taken)
        self._rebuild()

    def give_way(self, texts: list[str]) -> None:
        """Where texts hold a stand-in of this conversation by themselves, replace it there, too.

        Somebody may write the very name that stands for another. It then gets a stand-in of its
        own, so that the display can tell the two apart.
        """
        ours = Rewriter(
            [Replacement(f.wire, MASK, f.separated) for f in self._forms if _restorable(f)]
        )
        masked = [self._masked(text) for text in texts]
        said = [text[f.start : f.end] for text in masked for f in ours.find(text)]
        self.admit([Value(text, "name") for text in dict.fromkeys(said)], texts)

    def to_wire(self, text: str) -> str:
        """The text as models may read it.

        Raises:
            GuardError: a value would be left in it.
        """
        pieces = self._split(text)
        for _ in range(_ROUNDS):
            again = [part for piece, done in pieces for part in self._again(piece, done)]
            if len(again) == len(pieces):
                return "".join(piece for piece, _ in pieces)
            pieces = again
        raise GuardError(
            "A guarded value could not be replaced everywhere.", "Nothing was sent; set its level."
        )

    def restorer(self, hosts: Collection[str] = ()) -> Restorer:
        """For one answer.

        Args:
            hosts: to which links may hold real values.
        """
        pairs = [
            Replacement(form.wire, form.real, form.separated)
            for form in self._forms
            if _restorable(form)
        ]
        return Restorer(Rewriter(_first_of_each(pairs)), hosts)

    def _masked(self, text: str) -> str:
        return self._to_mask.rewrite(text)

    def _again(self, piece: str, done: bool) -> list[tuple[str, bool]]:
        """Search what is left of a text again: replacing one value may have laid another bare."""
        return [(piece, done)] if done else self._split(piece)

    def _split(self, text: str) -> list[tuple[str, bool]]:
        """The text in pieces, and whether each is a replacement."""
        pieces, at = [], 0
        for found in self._to_wire.find(text):
            pieces += [(text[at : found.start], False), (found.new, True)]
            at = found.end
        pieces.append((text[at:], False))
        return [(piece, done) for piece, done in pieces if piece]

    def _new_forms(self, value: Value, taken: set[str]) -> list[Form]:
        if value.level == "withheld":
            forms = pairs_to_find(value)
            return [Form(p.old, WITHHELD, p.separated, p.capital) for p in forms]
        if value.kind == "name":
            words = name_words(value.text)
            first = "" if has_title(value.text) and len(words) == 1 else words[0]
            given = {first, *double_parts(first)}
            return name_forms(value.text, lambda word: self._word(word, word in given, taken))
        return value_forms(value, self._unused(lambda: draw(self._rng, value), taken))

    def _word(self, word: str, first: bool, taken: set[str]) -> str:
        """The stand-in of a name's word, which all names with this word share."""
        key = fold(word).text
        if key not in self._words:
            self._words[key] = self._unused(lambda: draw_word(self._rng, first=first), taken)
        return self._words[key]

    def _unused(self, make: Callable[[], str], taken: set[str]) -> str:
        for attempt in range(_TRIES):
            drawn = make() if attempt < _TRIES // 2 else make() + make().lower()
            words = {w for w in re.findall(r"[^\W_]+", fold(drawn).text) if len(w) > 2}
            if not words & ((taken | self._drawn) - SHARED) and fold(drawn).text not in self._drawn:
                self._drawn |= words | {fold(drawn).text}
                return drawn
        raise GuardError(
            "There are more values to guard than there are stand-ins.",
            "Set some of them to 'withheld', or split the context.",
        )

    def _rebuild(self) -> None:
        pairs = [Replacement(f.real, f.wire, f.separated, f.capital) for f in self._forms]
        self._to_wire = Rewriter(_first_of_each(pairs))
        self._to_mask = Rewriter([Replacement(p.old, MASK, p.separated, p.capital) for p in pairs])


def _restorable(form: Form) -> bool:
    return form.wire != WITHHELD


def _first_of_each(pairs: list[Replacement]) -> list[Replacement]:
    """One pair for each thing to look for; a capital is needed only where all of them need one."""
    first: dict[str, Replacement] = {}
    for pair in pairs:
        known = first.setdefault(fold(pair.old).text, pair)
        if known.capital and not pair.capital:
            first[fold(pair.old).text] = replace(known, capital=False)
    return list(first.values())
