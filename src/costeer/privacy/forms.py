"""The forms of a value: how it may be written, and how its stand-in is written there.

A name is written in full, by one of its words, with an initial, or joined as in a user name; each
word of a name has a stand-in of its own, so that a family shares one.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from costeer.privacy.folding import fold
from costeer.privacy.pools import WORDS_TOO
from costeer.privacy.values import Value

WITHHELD = "\u2026"
"""What stands where a withheld value stood; nothing is restored from it."""

_SEPARATED = frozenset({"phone", "account", "number"})
_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "dame", "herr"})


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a value.

    Attributes:
        real: how the person writes it.
        wire: what stands for it.
        separated: letters and digits decide; spaces, dots and dashes between them are ignored.
        capital: counts only with a capital letter, because it is a word of the language too.
    """

    real: str
    wire: str
    separated: bool = False
    capital: bool = False


def name_words(text: str) -> list[str]:
    """The words of a name that identify: no titles, initials or particles such as "van"."""
    words = [word.strip(".,") for word in text.split()]
    kept = [w for w in words if len(w) > 1 and fold(w).text not in _TITLES and not w.islower()]
    return kept or [word for word in words if len(word) > 1] or [text]


def has_title(text: str) -> bool:
    """Whether a name begins with a title, so that one word after it is a surname."""
    first, *rest = text.split()
    return bool(rest) and fold(first.strip(".,")).text in _TITLES


def name_forms(text: str, stand_in: Callable[[str], str]) -> list[Form]:
    """The forms of a name.

    Args:
        text: the name.
        stand_in: the stand-in of one of its words.
    """
    words = name_words(text)
    wire = [stand_in(word) for word in words]
    titled = text.split(maxsplit=1)[0] + " " if has_title(text) else ""
    pairs = [(text, titled + " ".join(wire)), (" ".join(words), " ".join(wire))]
    if len(words) > 1:
        first, last, far_first, far_last = words[0], words[-1], wire[0], wire[-1]
        pairs += _two_word_forms(first, last, far_first, far_last, text)
    pairs += zip(words, wire, strict=True)
    return [
        Form(real, far, capital=real in words and _is_word(real))
        for real, far in dict(pairs).items()
    ]


def _is_word(name: str) -> bool:
    """Whether a name is a word too; who writes it in small letters means every occurrence."""
    return fold(name).text in WORDS_TOO and not name.islower()


def _two_word_forms(
    first: str, last: str, far_first: str, far_last: str, text: str
) -> list[tuple[str, str]]:
    initial, far_initial = first[0], far_first[0]
    pairs = [
        (f"{first} {last}", f"{far_first} {far_last}"),
        (f"{last}, {first}", f"{far_last}, {far_first}"),
        (f"{initial}. {last}", f"{far_initial}. {far_last}"),
        (f"{initial}.{last}", f"{far_initial}.{far_last}"),
        (f"{initial} {last}", f"{far_initial} {far_last}"),
        (f"{first} {last[0]}.", f"{far_first} {far_last[0]}."),
        (f"{initial}{last}".lower(), f"{far_initial}{far_last}".lower()),
    ]
    for mark in ("", ".", "_", "-"):
        pairs.append((f"{first}{mark}{last}".lower(), f"{far_first}{mark}{far_last}".lower()))
    found = re.search(r"\b(?:[a-z']+ )+" + re.escape(last) + "$", text)  # "van der Berg"
    return [*pairs, (found[0], far_last)] if found else pairs


def value_forms(value: Value, stand_in: str) -> list[Form]:
    """The forms of any other value."""
    separated = value.kind in _SEPARATED
    forms = [Form(value.text, stand_in, separated)]
    if value.kind == "phone":
        forms += [Form(digits, stand_in, separated=True) for digits in _phone_digits(value.text)]
    return forms


def _phone_digits(text: str) -> list[str]:
    """A number as it is dialled from elsewhere: with and without country code and leading zero."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, None if text.strip().startswith("+") else "US")
    except phonenumbers.NumberParseException:
        return []
    national = str(number.national_number)
    if len(national) < 6:
        return []
    code = str(number.country_code)
    return [f"+{code}{national}", f"00{code}{national}", f"{code}{national}", f"0{national}",
            national]  # fmt: skip
