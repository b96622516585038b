"""Drawing stand-ins: at random, and without a look at the value that they stand for.

Only the kind and, for plain numbers and dates, the pattern of letters and digits decide what is
drawn from. So by chance, one in some hundred, a stand-in may be the value itself. Refusing that
would make what is never drawn a sign, over many conversations; nobody can tell a lucky stand-in.

Stand-ins are short. A model that copies a long one may go wrong in the middle, and the rule behind
"auto" helps to copy eight tokens in a row at most (``decoding.auto``); digits are a token each.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from costeer.privacy import pools
from costeer.privacy.values import Kind, Value

_YEARS = range(1950, 2010)


def draw_word(rng: random.Random, *, first: bool) -> str:
    """A word of a name."""
    return rng.choice(pools.FIRST if first else pools.LAST)


def draw(rng: random.Random, value: Value) -> str:
    """A stand-in for a value that is no name."""
    make = _MAKERS.get(value.kind)
    return make(rng, value.text) if make else _name(rng)


def _first(rng: random.Random) -> str:
    return rng.choice(pools.FIRST).lower()


def _date(rng: random.Random, text: str) -> str:
    """Another date, written in the same way; 10 to 12 are days as well as months."""

    def other(found: re.Match[str]) -> str:
        token = found[0]
        if token.isdigit():
            if len(token) > 2:
                return str(rng.choice(_YEARS))
            return str(rng.randrange(10, 13) if len(token) == 2 else rng.randrange(1, 10))
        if token[:3].title() in {month[:3] for month in pools.MONTHS}:
            month = rng.choice(pools.MONTHS)
            return month[:3] if len(token) == 3 else month
        return token

    return re.sub(r"\d+|[^\W\d_]+", other, text)


def _pattern(rng: random.Random, text: str) -> str:
    """Digits for digits, letters for letters, and what separates them."""

    def other(character: str) -> str:
        if character.isdigit():
            return rng.choice("123456789")
        if character.isalpha():
            letter = rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ")
            return letter if character.isupper() else letter.lower()
        return character

    return "".join(map(other, text))


def _name(rng: random.Random) -> str:
    return f"{rng.choice(pools.FIRST)} {rng.choice(pools.LAST)}"


def _address(rng: random.Random) -> str:
    return f"{rng.randrange(2, 199)} {rng.choice(pools.LAST)} {rng.choice(pools.ROADS)}"


def _phone(rng: random.Random) -> str:
    """555-0100 to 555-0199 belong to nobody."""
    return f"555-01{rng.randrange(100):02}"


def _account(rng: random.Random) -> str:
    letters = "".join(rng.choices("ABCDEFGHJKLMNPQRSTUVWXYZ", k=2))
    return f"{letters}{rng.randrange(1111, 10_000)}"


_MAKERS: dict[Kind, Callable[[random.Random, str], str]] = {
    "place": lambda rng, text: rng.choice(pools.PLACES),
    "organisation": lambda rng, text: f"{rng.choice(pools.LAST)} {rng.choice(pools.TRADES)}",
    "address": lambda rng, text: _address(rng),
    "e-mail": lambda rng, text: f"{_first(rng)}@example.org",
    "phone": lambda rng, text: _phone(rng),
    "link": lambda rng, text: f"https://example.org/{_first(rng)}",
    "handle": lambda rng, text: f"@{_first(rng)}{rng.randrange(10, 100)}",
    "date": _date,
    "number": _pattern,
    "account": lambda rng, text: _account(rng),
}
"""From chance and the text, of which only the pattern is looked at."""
