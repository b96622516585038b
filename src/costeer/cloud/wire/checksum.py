"""A checksum that travels with every step of our own server's compact answers.

It is a running CRC-32 (RFC 1952, as in zlib) over the prompt's token ids and over all steps so
far, each with its finish reason. So a step is taken only if it is undamaged, the next one, and the
continuation of exactly the prompt that was asked: a row that still decodes after a few bytes were
changed, a step lost or sent twice, another request's answer and a request damaged on its way up
all show. It guards against accidents, not against forgery; against that there is TLS. Knows
nothing of HTTP.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

FIELD = "seal"


class BrokenStreamError(Exception):
    """What arrived is damaged, or no stream of events."""


class StreamChecksum:
    """The state of one answer's checksum, on either side.

    Args:
        prompt: the ids that the answer continues.
    """

    def __init__(self, prompt: Sequence[int]) -> None:
        self._crc = zlib.crc32(np.asarray(prompt, "<i8").tobytes())

    def next(self, token: int, packed: str, reason: str | None) -> int:
        """The seal of the next step.

        Args:
            token: its id.
            packed: its top log-probabilities, as ``wire.encode`` wrote them.
            reason: why the answer ends with it, or None.
        """
        self._crc = zlib.crc32(f"{token} {packed} {reason or ''}".encode(), self._crc)
        return self._crc

    def check(self, choice: Mapping[str, Any]) -> None:
        """Check the next choice that arrived, before anything in it is believed.

        Raises:
            BrokenStreamError: this is not what was sent.
        """
        if choice.get("finish_reason") == "replaced" and choice.get("logprobs") is None:
            return  # nothing in it to be believed, and nobody reads on
        try:
            logprobs, reason = choice["logprobs"], choice["finish_reason"]
            parts = list(zip(logprobs["token_ids"], logprobs["top"], logprobs[FIELD], strict=True))
            left = len(parts)
            for token, packed, seal in parts:
                left -= 1
                if self.next(token, packed, None if left else reason) != seal:
                    raise BrokenStreamError("a seal does not fit")
        except (KeyError, TypeError, ValueError):
            raise BrokenStreamError("no seal") from None
