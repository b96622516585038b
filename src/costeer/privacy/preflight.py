"""Before sending: what of the person's values a request itself would carry up.

Steering is not the only way out: a query, a system message or an earlier turn goes up as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from costeer.privacy.finding import stands_in
from costeer.privacy.values import Value


def held(values: Sequence[Value], texts: Iterable[str]) -> list[Value]:
    """The values that stand in the texts, in any of their forms; open ones do not count."""
    texts = list(texts)
    guarded = [value for value in values if value.level != "open"]
    return [value for value in guarded if any(stands_in(value, text) for text in texts)]


def describe(found: Sequence[Value], *, replaced: bool) -> str:
    """One line for the person, without the values; "" where there are none."""
    if not found:
        return ""
    kinds = sorted({value.kind for value in found})
    what = "1 value of yours" if len(found) == 1 else f"{len(found)} values of yours"
    line = f"What you send holds {what} ({', '.join(kinds)})"
    if replaced:
        return f"{line}; stand-ins go up in their place."
    return f"{line}, and it goes up as it is. To send a stand-in instead: --guard stand-in."
