"""The forms of a value: how it may be written, and how its stand-in is written there.

A name is written in full, by one of its words, with an initial, or joined as in a user name; each
word of a name has a stand-in of its own, so that a family shares one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from costeer.privacy.folding import fold
from costeer.privacy.pools import WORDS_TOO
from costeer.privacy.values import Value

WITHHELD = "\u2026"
"""What stands where a withheld value stood; nothing is restored from it."""

_SEPARATED = frozenset({"phone", "account", "number"})
_SPELT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe",
                        "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Å": "Aa", "Ø": "Oe"})  # fmt: skip
_LONG = 5
"""Letters of a surname from which on an initial in front of it makes no common word."""

_TITLES = frozenset({"mr", "mrs", "ms", "miss", "dr", "prof", "professor", "sir", "dame", "herr"})


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write a value.

    Attributes:
        real: how the person writes it.
        wire: what stands for it.
        separated: letters and digits decide; spaces, dots and dashes between them are ignored.
        capital: each word counts only with a capital, because it is one of the language too.
    """

    real: str
    wire: str
    separated: bool = False
    capital: bool = False


def name_words(text: str) -> list[str]:
    """The words of a name that identify: no titles, initials or particles such as "van".

    Given names come first, also where the surname is written first, before a comma.
    """
    surname, comma, given = text.partition(",")
    text = f"{given} {surname}" if comma else text
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
    pairs = [(" ".join(words), " ".join(wire))]
    if "," not in text:
        pairs.insert(0, (text, titled + " ".join(wire)))
    for last in _with_parts(words[:0:-1]):
        pairs += _two_word_forms(words[0], last, wire[0], stand_in(last), text)
    for word in _with_parts(words):
        pairs += [(spelling, stand_in(word)) for spelling in _spellings(word)]
    small = text.islower()  # who writes a name in small letters means every occurrence
    return [
        Form(real, far, capital=not small and _is_word(real)) for real, far in dict(pairs).items()
    ]


def _is_word(form: str) -> bool:
    """Whether a form is a word of the language, alone or beside an initial ("A Young")."""
    words = [word.strip(".,") for word in fold(form).text.split()]
    long = [word for word in words if len(word) > 1]
    return len(long) == 1 and long[0] in WORDS_TOO


def _spellings(word: str) -> list[str]:
    """A word of a name, without its apostrophe, and with its umlauts spelt out."""
    plain = re.sub("['\u2019]", "", word)
    spelt = unicodedata.normalize("NFC", word).translate(_SPELT)
    return [word, *([plain] if len(plain) > 3 else []), spelt]


def double_parts(word: str) -> list[str]:
    """The names that a double name such as "Anna-Lena" is made of; none if it is a single one."""
    parts = re.split(r"[-\u2010\u2011\u2013]", word)
    return [part for part in parts if len(part) > 2] if len(parts) > 1 else []


def _with_parts(words: Iterable[str]) -> list[str]:
    return [one for word in words for one in (word, *double_parts(word))]


def _user_names(initial: str, last: str) -> list[str]:
    """Like "mokafor"; "shall" of Sam Hall is a word too, and counts only where user names stand."""
    name = f"{initial}{last}".lower()
    if len(last) >= _LONG and fold(last).text not in WORDS_TOO:
        return [name]
    return [f"@{name}", f"{name}@", f"/{name}"]


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
    ]
    far_name = f"{far_initial}{far_last}".lower()
    for near in _user_names(initial, last):
        pairs.append((near, near.replace(f"{initial}{last}".lower(), far_name)))
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
