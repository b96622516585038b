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
    """One line for the person, without the values; "" where there are none.

    Args:
        found: the values that a request holds itself; if they are replaced, also those that the
            small model reads.
        replaced: whether stand-ins take their places.
    """
    if not found:
        return ""
    if replaced:
        return (
            f"Stand-ins go up for {count(found)}. "
            "`costeer guard list --context-file FILE` shows them; --guard off sends what is yours."
        )
    return (
        f"What you send holds {count(found)}, and it goes up as it is. "
        "To send a stand-in instead: --guard stand-in."
    )


def count(found: Sequence[Value]) -> str:
    """How many values there are and of which kinds, without the values."""
    kinds = ", ".join(sorted({value.kind for value in found}))
    return f"{len(found)} value{'' if len(found) == 1 else 's'} of yours ({kinds})"
