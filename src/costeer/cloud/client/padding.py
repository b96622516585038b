"""Request bodies whose size does not tell which tokens they hold.

A token id has as many digits as its number needs, so an unpadded correction's length says something
about the token. Spaces after a JSON value are valid for every server
(https://www.rfc-editor.org/rfc/rfc8259#section-2). How many tokens a prompt has still shows.
"""

from __future__ import annotations

from collections.abc import Sequence

BLOCK = 256
"""Bytes; bodies are a multiple of it."""

WIDEST = 7
"""Digits that every token id is counted with; no vocabulary has larger ones."""


def pad(content: bytes, ids: Sequence[int]) -> bytes:
    """Append spaces to a JSON body, up to a size that depends on how many ids it holds.

    Args:
        content: the body.
        ids: the token ids that are written out in it.
    """
    widened = len(content) + sum(max(WIDEST - len(str(one)), 0) for one in ids)
    return content.ljust(-(-widened // BLOCK) * BLOCK)
