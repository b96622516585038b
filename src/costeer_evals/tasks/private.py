"""The private user turn of tasks that give only the context, and the wording of private prompts.

The large model with the context, the upper bound, reads the form that worked best for it: the
context after the question. The small model reads the product's own private prompt.
"""

from __future__ import annotations

import re

from costeer.edge.prompts import PRIVATE

USER_TURN = "{query}\n\nAbout me: {context}"


def private_turn(query: str, context: str) -> str:
    """The user turn of the branches with context."""
    return USER_TURN.format(query=query, context=context)


def wording() -> tuple[str, ...]:
    """The sentences and headings that private prompts add; none of them belongs in an answer."""
    pieces = re.split(r"\n|\{\w+\}|(?<=[.!?:])\s", f"{PRIVATE}\n{USER_TURN}")
    return tuple(piece.strip() for piece in pieces if piece.strip())
