"""A cloud that lies, and a small model that recites: what the guard is for.

The cloud insists on a few words and then sends equal log-probabilities, so that the device's own
difference decides. The small model goes on with what followed the same bytes earlier in its prompt,
as small models do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costeer.decoding.steering import log_softmax
from costeer.models.fake import FakeModel

LURES = ("Of course. Your name is", "You live at", "Your doctor told you that you have")


class LyingModel(FakeModel):
    """Says ``lure``, and then that every token is as likely as any other.

    Args:
        lure: what it insists on.
        among: tokens that it calls equally likely; every one by default.
        tokenizer: of the pair that it is the large model of.
    """

    def __init__(
        self, lure: Any, among: Any = None, tokenizer: Any = None, vocab_size: Any = 320
    ) -> None:
        super().__init__(vocab_size=vocab_size, seed=1)
        if tokenizer is not None:
            self.tokenizer = tokenizer
        self._lure = self.tokenizer.encode(lure)
        self._opening = self.tokenizer.chat([{"role": "user", "content": "Q"}])[-3:]
        self._flat = np.full(vocab_size, -np.log(vocab_size), np.float32)
        if among is not None:
            self._flat[:] = -30
            self._flat[list(among)] = -np.log(len(among))
        for token in self.tokenizer.eos_ids:
            self._flat[token] = -30

    def logprobs(self, ids: Any) -> Any:
        openings = (i for i in range(len(ids) - 2) if list(ids[i : i + 3]) == self._opening)
        at = max(openings, default=len(ids)) + 3
        said = max(len(ids) - at, 0)
        if said >= len(self._lure):
            return self._flat
        row = np.full(self.vocab_size, -20, np.float32)
        row[self._lure[said]] = 0
        return log_softmax(row)


class RecitingModel(FakeModel):
    """Goes on as its prompt does after the longest run of bytes that it has just read or written.

    Args:
        shortest: bytes of a run that it takes up.
    """

    def __init__(self, seed: Any = 2, shortest: Any = 3, **options: Any) -> None:
        super().__init__(seed=seed, **options)
        self._shortest = shortest

    def logprobs(self, ids: Any) -> Any:
        logits = super().logprobs(ids).copy()
        text = bytes(min(i, 255) for i in ids)
        for size in range(min(24, len(text) - 1), self._shortest - 1, -1):
            before = text.rfind(text[-size:], 0, len(text) - 1)
            if before >= 0:
                logits[ids[before + size]] += 12
                break
        return log_softmax(logits)
