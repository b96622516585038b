"""What stand-ins are drawn from, and words that tell names from others. Kept in ``data``.

Ordinary names and places, so that models treat them as such; no English words among them, and none
that is the beginning of another. Streets and organisations are put together from the surnames.
"""

from __future__ import annotations

from importlib.resources import files


def _words(name: str) -> tuple[str, ...]:
    return tuple((files("costeer.privacy") / "data" / f"{name}.txt").read_text("utf-8").split())


FIRST = _words("first_names")
LAST = _words("surnames")
PLACES = _words("places")
ROADS = ("Road", "Street", "Lane", "Avenue", "Terrace", "Crescent")
TRADES = ("Partners", "Associates", "Holdings", "Industries", "Laboratories", "Institute")
AREAS = ("202", "212", "303", "312", "404", "415", "512", "617", "702", "808")
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September",
    "October", "November", "December",
)  # fmt: skip

SHARED = frozenset(
    word.lower() for word in (*ROADS, *TRADES, *AREAS, *MONTHS, "555", "https", "example", "org")
)
"""Words that several stand-ins may have."""

WORDS_TOO = frozenset(_words("names_that_are_words"))
"""Names that are words too: alone, they count as names only with a capital."""

NO_NAMES = frozenset(_words("no_names"))
"""Words with a capital that are no names."""
