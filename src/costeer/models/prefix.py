"""Reuse of work already done: how much of a prompt a sequence still holds, and in what pieces
the rest is evaluated. Shared by the device, the in-process cloud and the server; the last two run
the engine in the same batch shapes by it, and so give the same rows. Knows only token ids.
"""

from __future__ import annotations

from collections.abc import Sequence as AbstractSequence

from costeer.models.base import Sequence

CHUNK = 512
"""Prompt tokens evaluated in one engine call; between two of them others may have their turn."""


def common_length(left: AbstractSequence[int], right: AbstractSequence[int]) -> int:
    """How many leading ids the two have in common."""
    length = min(len(left), len(right))
    if tuple(left[:length]) == tuple(right[:length]):
        return length
    return next(i for i in range(length) if left[i] != right[i])


def rewind(sequence: Sequence, prompt: AbstractSequence[int]) -> int:
    """Truncate ``sequence`` to what it shares with ``prompt``, but never to all of the prompt.

    The last prompt id is always evaluated again, because its row is what is asked for.

    Returns:
        How many ids of the prompt are already evaluated.
    """
    kept = min(common_length(sequence.ids, prompt), len(prompt) - 1)
    if kept < len(sequence):
        sequence.truncate(kept)
    return kept
