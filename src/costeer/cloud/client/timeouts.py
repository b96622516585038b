"""How long silence is borne: long while a server may be reading a prompt, short afterwards.

A large model on a small machine takes a minute to read a long prompt, and says nothing meanwhile.
A prompt that only adds a few tokens to one that was answered already takes no time to speak of,
and neither does a further token: there, silence means that something between us and the server is
gone, and waiting on would only keep a person from the answer. Knows token ids only.
"""

from __future__ import annotations

FEW = 256
"""Tokens that any server reads well within the shorter time."""


class Waiting:
    """The read timeout of each request. May be used from several threads.

    Args:
        first: seconds without a byte that are borne for a prompt the server has not seen.
        between: the same between tokens, and for a prompt of which it has seen nearly all.
    """

    def __init__(self, first: float, between: float) -> None:
        self.first = first
        self.between = min(first, between)
        self._seen: tuple[int, ...] = ()

    def answered(self, prompt: tuple[int, ...]) -> None:
        """The server gave a token for this prompt."""
        self._seen = prompt

    @property
    def met(self) -> bool:
        """Whether the server has given a token yet."""
        return bool(self._seen)

    def seconds(self, prompt: tuple[int, ...]) -> float:
        """For a request with this prompt."""
        seen = self._seen
        known = bool(seen) and prompt[: len(seen)] == seen and len(prompt) - len(seen) <= FEW
        return self.between if known else self.first
