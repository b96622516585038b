"""The private user turn of tasks that say only what is known of the person, and its wording.

The one place that ties these tasks to the product's private prompt.
"""

from __future__ import annotations

import re

from costeer.edge.prompts import with_context

_QUERY, _CONTEXT = "\N{OBJECT REPLACEMENT CHARACTER}", "\N{REPLACEMENT CHARACTER}"


def private_turn(query: str, context: str) -> str:
    """What the branches with context read: the product's own private prompt."""
    return with_context([{"role": "user", "content": query}], context)[-1]["content"]


def wording() -> tuple[str, ...]:
    """The sentences and headings that the private turn adds to query and context."""
    pieces = re.split(rf"[\n{_QUERY}{_CONTEXT}]|(?<=[.!?:])\s", private_turn(_QUERY, _CONTEXT))
    return tuple(piece.strip() for piece in pieces if piece.strip())
