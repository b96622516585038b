"""The compact, lossless form of top log-probabilities.

k ids as little-endian int32, then k natural-log probabilities as little-endian float32, in one
base64 text: 8 k bytes, that is 684 characters at k = 64, where JSON numbers take about 6 kB. It is
lossless, -inf included. This is our extension (``logprobs_encoding: "base64"``) of the completions
API; a stream of it has no text beside the ids. Knows nothing about HTTP.
"""

from __future__ import annotations

import base64
import binascii

import numpy as np
import numpy.typing as npt

from costeer.decoding.steering import Array
from costeer.exceptions import CloudProtocolError, NotFiniteError

ENCODING = "base64"

JSON_FLOOR = -9999.0
"""Stands for -inf in plain JSON, which cannot express it (vLLM's choice too)."""

_HINT = "CoSteer does not understand this server, or the connection damages data."


def encode(ids: npt.NDArray[np.int32], logprobs: Array) -> str:
    """Pack ids (k,) and logprobs (k,) into text of ``4 * ceil(8 k / 3)`` characters."""
    raw = ids.astype("<i4").tobytes() + logprobs.astype("<f4").tobytes()
    return base64.b64encode(raw).decode("ascii")


def decode(text: str, vocab_size: int | None = None) -> tuple[npt.NDArray[np.int32], Array]:
    """Unpack what ``encode`` made, and validate it.

    Args:
        text: base64.
        vocab_size: ids must be below it; None where it is unknown.

    Returns:
        ids (k,) int32 and logprobs (k,) float32, descending.

    Raises:
        NotFiniteError: a log-probability is NaN.
        CloudProtocolError: anything else that ``encode`` cannot have made from a real row.
    """
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise CloudProtocolError("The server sent damaged log-probabilities.", _HINT) from None
    if len(raw) % 8:
        raise CloudProtocolError("The server sent log-probabilities of odd length.", _HINT)
    half = len(raw) // 2
    ids = np.frombuffer(raw, "<i4", count=half // 4).astype(np.int32)
    logprobs = np.frombuffer(raw, "<f4", offset=half).astype(np.float32)
    check(ids, logprobs, vocab_size)
    return ids, logprobs


def check(
    ids: npt.NDArray[np.int32],
    logprobs: Array,
    vocab_size: int | None = None,
) -> None:
    """Raise where (k,) ids and logprobs cannot be the top of a row.

    Raises:
        NotFiniteError: NaN.
        CloudProtocolError: ids repeated or out of range, values positive infinite or not
            descending.
    """
    if np.isnan(logprobs).any():
        raise NotFiniteError(
            "The server sent log-probabilities that are not numbers.",
            "Its model file may be damaged.",
        )
    if np.isposinf(logprobs).any() or (logprobs[1:] > logprobs[:-1]).any():
        raise CloudProtocolError("The server's log-probabilities are not in order.", _HINT)
    if len(np.unique(ids)) != len(ids):
        raise CloudProtocolError("The server named one token twice.", _HINT)
    top = np.iinfo(np.int32).max if vocab_size is None else vocab_size - 1
    if len(ids) and (ids.min() < 0 or ids.max() > top):
        raise CloudProtocolError(
            "The server named a token outside its vocabulary.",
            "Check that both models share a tokenizer.",
        )
