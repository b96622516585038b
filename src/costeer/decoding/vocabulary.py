"""Whether two models share a tokenizer, decided by their real token tables.

The widths of their logits do not decide it: Qwen2.5-7B has 152,064 logits and the 0.5B 151,936 for
the same tokenizer (the rest is padding), and equal widths prove nothing. Knows nothing about how
tables are read from model files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from costeer.exceptions import VocabularyError


class Vocabulary:
    """A token table without padding: ``tokens[i]`` is the tokenizer's own spelling of id i."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)

    @classmethod
    def from_table(cls, table: Sequence[str], padding: Collection[int]) -> Vocabulary:
        """Build it from a padded table.

        Args:
            table: one spelling per logit.
            padding: ids that the model file marks as unused; those at the end are cut off.
        """
        unused = frozenset(padding)
        width = len(table)
        while width and width - 1 in unused:
            width -= 1
        return cls(table[:width])

    def __len__(self) -> int:
        return len(self.tokens)

    @cached_property
    def fingerprint(self) -> str:
        """The SHA-256 of all spellings in order, each with its length in front: "sha256:<hex>"."""
        digest = hashlib.sha256()
        for token in self.tokens:
            raw = token.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(4, "little"))
            digest.update(raw)
        return f"sha256:{digest.hexdigest()}"


def require_shared(
    local: Vocabulary, *, cloud_size: int | None, cloud_fingerprint: str | None
) -> bool:
    """Check that the cloud and the device have the same tokenizer.

    Returns:
        True if the fingerprints prove it, False if the cloud says too little.

    Raises:
        VocabularyError: they differ.
    """
    if cloud_fingerprint is not None:
        if cloud_fingerprint == local.fingerprint:
            return True
    elif cloud_size is None or cloud_size >= len(local):
        return False
    size = "unknown" if cloud_size is None else f"{cloud_size:,}"
    raise VocabularyError(
        "The small model and the cloud model do not share a tokenizer "
        f"(tokens on the device: {len(local):,}, in the cloud: {size}).",
        "Choose two models of one family; `costeer models list` shows pairs that work.",
    )


def cut(logits: npt.NDArray[np.float32], width: int) -> npt.NDArray[np.float32]:
    """Return the first ``width`` columns of logits (..., padded width), as a view.

    Raises:
        VocabularyError: there are fewer than ``width`` columns.
    """
    if logits.shape[-1] < width:
        raise VocabularyError(
            f"The model gives {logits.shape[-1]:,} logits for a table of {width:,} tokens.",
            "The model file is damaged or of an unknown kind; fetch it again.",
        )
    return logits[..., :width]
