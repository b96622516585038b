"""Input checks that every engine makes before it touches its cache.

llama.cpp ends the whole process on bad input, and torch fails half-way through, so bad input must
reach neither. Knows nothing about engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from costeer.exceptions import ContextLengthError, ParameterError

Ids = npt.NDArray[np.int32]


def check_ids(ids: Sequence[int], *, held: int, vocab_size: int, context_length: int) -> Ids:
    """Return ids that may be appended to ``held`` others, as (n,) int32.

    Raises:
        ParameterError: none, not whole numbers, or outside the vocabulary.
        ContextLengthError: they do not fit.
    """
    array: npt.NDArray[Any] = np.asarray(ids)
    if array.size == 0:
        raise ParameterError("There are no tokens to extend with.")
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise ParameterError("Token ids must be whole numbers in a flat list.")
    if array.min() < 0 or array.max() >= vocab_size:
        raise ParameterError("A token id is outside the vocabulary.")
    if held + array.size > context_length:
        raise ContextLengthError(
            f"{held + array.size} tokens do not fit into the model's {context_length}.",
            "Shorten the text, or load the model with a larger context.",
        )
    return array.astype(np.int32)


def check_rows(rows: int | None, count: int) -> int:
    """Return how many of ``count`` appended ids are reported.

    Raises:
        ParameterError: less than 0.
    """
    if rows is None:
        return count
    if rows < 0:
        raise ParameterError(f"rows must be 0 or more, not {rows}.")
    return min(rows, count)


def check_sizes(**sizes: int) -> None:
    """Require every size to be a whole number, 1 or more.

    Raises:
        ParameterError: one is not.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ParameterError(f"{name} must be a whole number, 1 or more, not {size}.")
