"""A checksum that travels with every step of our own server's compact answers.

It is a running CRC-32 (RFC 1952, as in zlib) over the prompt's token ids and all steps so far, each
with its finish reason. A step is accepted only if it is undamaged, the next one, and continues
exactly the prompt that was sent. This detects a row that still decodes after a few bytes changed, a
step lost or sent twice, the answer to another request, and a request damaged on its way up. It
guards against accidents, not against forgery, for which there is TLS. Knows nothing about HTTP.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FIELD = "seal"
"""The checksums' field in ``logprobs``."""


class BrokenStreamError(Exception):
    """The stream is damaged, or not a stream of events."""


class StreamChecksum:
    """The state of one answer's checksum, on either side.

    Args:
        prompt: the ids that the answer continues.
    """

    def __init__(self, prompt: Sequence[int]) -> None:
        self._crc = zlib.crc32(np.asarray(prompt, "<i8").tobytes())

    def next(self, token: int, packed: str, reason: str | None) -> int:
        """Return the checksum of the next step.

        Args:
            token: its id.
            packed: its top log-probabilities as ``logprobs.encode`` wrote them.
            reason: why the answer ends with this step, or None.
        """
        self._crc = zlib.crc32(f"{token} {packed} {reason or ''}".encode(), self._crc)
        return self._crc

    def check(self, choice: Mapping[str, Any]) -> None:
        """Verify the next choice before anything in it is used.

        Raises:
            BrokenStreamError: it is not what the server sent.
        """
        if choice.get("finish_reason") == "replaced" and choice.get("logprobs") is None:
            return  # there is nothing in it to verify
        try:
            logprobs, reason = choice["logprobs"], choice["finish_reason"]
            parts = list(zip(logprobs["token_ids"], logprobs["top"], logprobs[FIELD], strict=True))
            for number, (token, packed, checksum) in enumerate(parts, 1):
                last = number == len(parts)
                if self.next(token, packed, reason if last else None) != checksum:
                    raise BrokenStreamError("a checksum does not match")
        except (KeyError, TypeError, ValueError):
            raise BrokenStreamError("no checksum") from None
