"""gzip for events of a stream, in pieces whose sizes do not depend on what is in them.

An observer who sees only sizes, as on a connection with TLS, could otherwise tell texts apart
(https://arxiv.org/abs/2511.03675). The padding is empty deflate blocks, which every decoder skips
(https://www.rfc-editor.org/rfc/rfc1951#section-3.2). Knows nothing of what the events are; the
caller says how large they may become.
"""

from __future__ import annotations

import zlib

END = 64
"""Bytes of the last piece, with ``[DONE]`` in it."""

_STORED = bytes.fromhex("000000ffff")
"""An empty block without compression, where the stream is at a whole byte."""
_FIXED = bytes.fromhex("02000000ffff")
"""An empty block with the fixed code, then one without compression."""
_LEAST = 20
"""From here on every number is a sum of fives and sixes."""
_CLOSING = 10
"""Bytes of the last block and of gzip's checksum and length."""


class PaddedGzip:
    """One stream.

    Args:
        size: of each piece, in bytes. One that cannot be compressed to ``size - 20`` is padded to
            the next multiple of it, so that ``size`` has to be ample.
        opening: more bytes for the first piece, which what all events have in common is in.
    """

    def __init__(self, size: int, opening: int = 0) -> None:
        self._size = size
        self._opening = opening
        self._deflate = zlib.compressobj(wbits=31)

    def write(self, body: bytes, *, more: bool = True) -> bytes:
        """Compress, flush and pad ``body``; the stream ends here unless there is ``more``."""
        piece = self._deflate.compress(body) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        if not more:
            return _pad(piece, END - _CLOSING, END) + self._deflate.flush()
        size, self._opening = self._size + self._opening, 0
        return _pad(piece, size, self._size)


def _pad(piece: bytes, size: int, step: int) -> bytes:
    """Append empty blocks up to ``size``, or as many steps more as it takes."""
    missing = max(len(piece) + _LEAST - size, 0)
    gap = size + -(-missing // step) * step - len(piece)
    sixes = gap % 5
    return piece + _FIXED * sixes + _STORED * ((gap - 6 * sixes) // 5)
