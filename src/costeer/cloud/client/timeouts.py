"""Read timeouts: long while the server may be prefilling, short once it is generating.

A large model on a small machine takes a minute to read a long prompt and sends nothing meanwhile.
A prompt that adds a few tokens to one already answered takes no noticeable time, and neither does
the next token. From then on silence means that the connection is dead, so fail fast. Knows token
ids only.
"""

from __future__ import annotations

FEW = 256
"""Tokens that any server prefills well within the shorter timeout."""


class ReadTimeouts:
    """The read timeout of each request. May be used from several threads.

    Args:
        first: seconds without a byte for a prompt the server has not seen.
        between: the same between tokens, and for a prompt it has seen nearly all of.
    """

    def __init__(self, first: float, between: float) -> None:
        self.first = first
        self.between = min(first, between)
        self._seen: tuple[int, ...] = ()

    def answered(self, prompt: tuple[int, ...]) -> None:
        """Note that the server sent a token for this prompt."""
        self._seen = prompt

    @property
    def has_answered(self) -> bool:
        """Whether the server has sent a token yet."""
        return bool(self._seen)

    def seconds(self, prompt: tuple[int, ...]) -> float:
        """Return the read timeout of a request with this prompt."""
        seen = self._seen
        known = bool(seen) and prompt[: len(seen)] == seen and len(prompt) - len(seen) <= FEW
        return self.between if known else self.first
