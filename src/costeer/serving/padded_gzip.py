"""gzip for events of a stream, in pieces whose sizes tell next to nothing of what is in them.

Whoever sees only sizes, as on a connection with TLS, can otherwise tell texts apart by them
(https://arxiv.org/abs/2511.03675). The padding is empty deflate blocks, which every decoder skips
(https://www.rfc-editor.org/rfc/rfc1951#section-3.2).
"""

from __future__ import annotations

import zlib

BLOCK = 256
"""Bytes; pieces are a multiple of it, and large ones of about an eighth of their own size."""

_STORED = bytes.fromhex("000000ffff")
"""An empty block without compression, where the stream is at a whole byte."""
_FIXED = bytes.fromhex("02000000ffff")
"""An empty block with the fixed code, then one without compression."""
_LEAST = 20
"""From here on every number is a sum of fives and sixes."""
_END = 10
"""Bytes of the last block and of gzip's checksum and length."""


class PaddedGzip:
    """One stream."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(wbits=31)

    def write(self, body: bytes, *, more: bool = True) -> bytes:
        """Compress, flush and pad ``body``; the stream ends here unless there is ``more``."""
        piece = self._deflate.compress(body) + self._deflate.flush(zlib.Z_SYNC_FLUSH)
        end = 0 if more else _END
        piece += _empty_blocks(padded_size(len(piece) + end) - len(piece) - end)
        return piece if more else piece + self._deflate.flush()


def padded_size(size: int) -> int:
    """The size that a piece of ``size`` bytes is padded to; never by 1 to 19 bytes."""
    block = max(BLOCK, (1 << size.bit_length()) >> 4)
    padded = -(-size // block) * block
    return padded if padded == size or padded - size >= _LEAST else padded + block


def _empty_blocks(size: int) -> bytes:
    """Blocks with nothing in them, ``size`` bytes in all; 0, or 20 and more."""
    sixes = size % 5
    return _FIXED * sixes + _STORED * ((size - 6 * sixes) // 5)
