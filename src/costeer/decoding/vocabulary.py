"""Do two models share a tokenizer? Decided by their real token tables.

Logit widths do not decide it: Qwen2.5-7B has 152,064 logits and the 0.5B 151,936 for one
and the same tokenizer (the rest is padding), and equal widths prove nothing either.
Knows nothing about how tables are read from model files.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from costeer.exceptions import VocabularyError


class Vocabulary:
    """A real token table: ``tokens[i]`` is the tokenizer's own spelling of id i, no padding."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self.tokens = tuple(tokens)

    @classmethod
    def from_table(cls, table: Sequence[str], padding: Collection[int]) -> Vocabulary:
        """Build from a padded table.

        Args:
            table: one spelling per logit.
            padding: ids that the model file marks as unused; those at the end are cut.
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
        """SHA-256 over every spelling in order, each preceded by its length; "sha256:<hex>"."""
        digest = hashlib.sha256()
        for token in self.tokens:
            raw = token.encode("utf-8", "surrogatepass")
            digest.update(len(raw).to_bytes(4, "little"))
            digest.update(raw)
        return f"sha256:{digest.hexdigest()}"


def require_shared(
    local: Vocabulary, *, cloud_size: int | None, cloud_fingerprint: str | None
) -> bool:
    """Check that the cloud's tokenizer is the device's.

    Returns:
        True if the fingerprints prove it, False if the cloud says too little to tell.

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
    """The first ``width`` columns of (..., padded width) logits, as a view.

    Raises:
        VocabularyError: there are fewer than ``width`` columns.
    """
    if logits.shape[-1] < width:
        raise VocabularyError(
            f"The model gives {logits.shape[-1]:,} logits for a table of {width:,} tokens.",
            "The model file is damaged or of an unknown kind; fetch it again.",
        )
    return logits[..., :width]
