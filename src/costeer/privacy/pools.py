"""What stand-ins are drawn from, and words that tell names from others. Kept in ``data``.

Common names and places, so that models write them reliably: surnames are one token each in the
default pair's tokenizer, first names and places one or two. First names are those of women and men
alike, so that they do not change who is "he" and who is "she" in an answer. Left out are English
words, the beginnings of others, and the names that models invent most readily (Sarah, Emily, John,
Smith), since the display takes those for stand-ins. Streets and organisations are put together from
the surnames.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


def _words(name: str) -> tuple[str, ...]:
    return tuple((files("costeer.privacy") / "data" / f"{name}.txt").read_text("utf-8").split())


FIRST = _words("first_names")
LAST = _words("surnames")
PLACES = _words("places")
ROADS = ("Road", "Street", "Lane", "Avenue", "Terrace", "Crescent")
TRADES = ("Partners", "Associates", "Holdings", "Industries", "Laboratories", "Institute")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

SHARED = frozenset(
    word.lower() for word in (*ROADS, *TRADES, *MONTHS, "555", "https", "example", "org")
)
"""Words that several stand-ins may have."""

WORDS_TOO = frozenset(_words("names_that_are_words"))
"""Names that are words too: alone, they count as names only with a capital."""

NO_NAMES = frozenset(_words("no_names"))
"""Words with a capital that are no names."""


@cache
def given_names() -> frozenset[str]:
    """Given names of some sixty languages, folded. Read when it is first asked: 110 kB."""
    return frozenset(_words("given_names"))


@cache
def given_names_inside() -> frozenset[str]:
    """Given names that are words or places too: they count only inside a sentence."""
    return frozenset(_words("given_names_inside"))
