"""A cache language model: how a person's own text would continue.

An n-gram model of the private text alone, with Witten-Bell interpolation down to single words
(Kuhn and De Mori 1990 for the cache; Witten and Bell 1991 for the interpolation). It only counts.
It knows names, addresses and phrases that a small neural model overlooks.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from costeer.decoding.steering import Array

ORDER = 5
"""The longest suffix of the answer that is looked up in the text."""


class TextCache:
    """An n-gram model of one text.

    Args:
        text: token ids; may be empty.

    Attributes:
        ids: (U,) the distinct tokens of the text, ascending; all others have no probability.
    """

    def __init__(self, text: Sequence[int]) -> None:
        self._text = np.asarray(text, dtype=np.int64)
        self.ids, self._index = np.unique(self._text, return_inverse=True)
        counts = np.bincount(self._index, minlength=self.ids.size)
        self._single = counts / max(len(self._text), 1)

    def logprobs(self, answer: Sequence[int]) -> Array:
        """(U,) natural log, finite: each of ``ids`` as the token after ``answer``."""
        probabilities = self._single
        last = self._text.size - 1
        places = np.arange(last)  # of the tokens that match the answer's last; one must follow
        for length in range(1, min(ORDER, len(answer)) + 1):
            places = places[places >= length - 1]
            places = places[self._text[places - length + 1] == answer[-length]]
            if not places.size:
                break
            counts = np.bincount(self._index[places + 1], minlength=self.ids.size)
            different = np.count_nonzero(counts)
            probabilities = (counts + different * probabilities) / (places.size + different)
        return np.log(probabilities).astype(np.float32)
