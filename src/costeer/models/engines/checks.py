"""Checks that every engine makes before it touches its cache.

llama.cpp ends the whole process on bad input, and torch fails half-way through; so nothing that
could fail for what the caller gave may reach either. Knows nothing of engines.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from costeer.exceptions import ContextLengthError, ParameterError

Ids = npt.NDArray[np.int32]


def check_ids(ids: Sequence[int], *, held: int, vocab_size: int, context_length: int) -> Ids:
    """Ids that may be appended to ``held`` others, as (n,) int32.

    Raises:
        ParameterError: none, not whole numbers, or outside the vocabulary.
        ContextLengthError: they do not fit.
    """
    given: npt.NDArray[Any] = np.asarray(ids)
    if given.size == 0:
        raise ParameterError("There are no tokens to extend with.")
    if given.ndim != 1 or given.dtype.kind not in "iu":
        raise ParameterError("Token ids must be whole numbers in a flat list.")
    if given.min() < 0 or given.max() >= vocab_size:
        raise ParameterError("A token id is outside the vocabulary.")
    if held + given.size > context_length:
        raise ContextLengthError(
            f"{held + given.size} tokens do not fit into the model's {context_length}.",
            "Shorten the text, or load the model with a larger context.",
        )
    return given.astype(np.int32)


def check_rows(rows: int | None, count: int) -> int:
    """How many of ``count`` appended ids are reported.

    Raises:
        ParameterError: less than 0.
    """
    if rows is None:
        return count
    if rows < 0:
        raise ParameterError(f"rows must be 0 or more, not {rows}.")
    return min(rows, count)


def check_sizes(**sizes: int) -> None:
    """Every size must be a whole number, 1 or more.

    Raises:
        ParameterError: one is not.
    """
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, int) or size < 1:
            raise ParameterError(f"{name} must be a whole number, 1 or more, not {size}.")
