"""A deterministic toy model for tests and offline trials; it writes nonsense.

Tokens are single bytes plus a few control tokens. Every next-token distribution is a pure function
of the seed and of all ids before it, so the same ids give bit-identical rows however they were
evaluated. Nothing here imitates a real model.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence

import numpy as np

from costeer.decoding.steering import log_softmax
from costeer.decoding.vocabulary import Vocabulary
from costeer.exceptions import ModelError, ParameterError
from costeer.models.base import LogProbs, Message, TokenSequence
from costeer.models.engines.checks import check_ids, check_rows
from costeer.models.engines.sequence import OwnedSequence

BYTES = 256
START, END = 256, 257  # "<|start|>", "<|end|>"
CONTROL = ("<|start|>", "<|end|>")


class FakeTokenizer:
    """One token per byte; ids from 258 on are filler that decodes to nothing."""

    def __init__(self, vocab_size: int, family: str = "fake") -> None:
        filler = [f"<|{family}-{i}|>" for i in range(vocab_size - BYTES - len(CONTROL))]
        self.vocabulary = Vocabulary([*(f"byte-{i}" for i in range(BYTES)), *CONTROL, *filler])
        self.eos_ids = frozenset({END})

    def encode(self, text: str) -> list[int]:
        """Return the UTF-8 bytes of the text."""
        return list(text.encode())

    def decode_bytes(self, ids: Sequence[int]) -> bytes:
        """Return the byte tokens among ``ids``."""
        return bytes(i for i in ids if i < BYTES)

    def chat(self, messages: Sequence[Message]) -> list[int]:
        """Render messages as ``<|start|>role\\ncontent<|end|>``, then open an assistant turn."""
        ids: list[int] = []
        for message in messages:
            ids += [START, *self.encode(f"{message['role']}\n{message['content']}"), END]
        return [*ids, START, *self.encode("assistant\n")]


class FakeSequence(OwnedSequence["FakeModel"]):
    """Ids; every row is computed from them again."""

    def extend(self, ids: Sequence[int], rows: int | None = None) -> LogProbs:
        """Append ids; see ``models.base.TokenSequence``."""
        return self._extended(self, ids, rows)

    def append(self, ids: Sequence[int], reported: int) -> LogProbs:
        """Append valid ids; return the rows after the last ``reported`` of them."""
        held = len(self.tokens)
        self.grow(ids, [(i, i + 1) for i in range(held, held + len(ids))])
        model, end = self.owner(), len(self.tokens)
        rows = [model.logprobs(self.tokens[:at]) for at in range(end - reported + 1, end + 1)]
        return np.stack(rows) if rows else np.empty((0, model.vocab_size), np.float32)

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        self.shrink(length)

    def close(self) -> None:
        """Free the slot."""
        model, self.model = self.model, None
        if model is not None:
            model.opened -= 1


class FakeModel:
    """Next-token rows drawn from a generator seeded by the ids.

    Args:
        vocab_size: at least 258.
        seed: models of one seed are identical; of two seeds, different "weights".
        context_length: the most ids a sequence holds.
        max_sequences: the most sequences open at once.
        family: models of two families have different tokenizers.
        peak: how peaked the rows are; larger is more confident.
    """

    def __init__(
        self,
        vocab_size: int = 320,
        seed: int = 0,
        context_length: int = 4096,
        max_sequences: int = 8,
        family: str = "fake",
        peak: float = 3.0,
    ) -> None:
        self.name = f"fake-{seed}"
        self.tokenizer = FakeTokenizer(vocab_size, family)
        self.vocab_size = vocab_size
        self.context_length = context_length
        self.max_sequences = max_sequences
        self.exact_batch = sys.maxsize
        self.repeatable = True
        self.opened = 0
        self._seed = seed
        self._peak = peak

    def logprobs(self, ids: Sequence[int]) -> LogProbs:
        """Return the row (V,) after ``ids``; it depends mostly on the last three ids."""
        near = self._noise(ids[-3:])
        far = self._noise(ids)
        logits = self._peak * near + 0.5 * far
        logits[END] -= 2.0  # so that answers have some length
        return log_softmax(logits)

    def _noise(self, ids: Sequence[int]) -> LogProbs:
        digest = hashlib.blake2b(
            np.asarray([self._seed, *ids], dtype=np.int64).tobytes(), digest_size=8
        ).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        return rng.standard_normal(self.vocab_size, dtype=np.float32)

    def sequence(self) -> FakeSequence:
        """Open an empty sequence."""
        if self.opened >= self.max_sequences:
            raise ModelError(f"All {self.max_sequences} sequences are in use.", "Close one.")
        self.opened += 1
        return FakeSequence(self)

    def extend_many(
        self,
        work: Sequence[tuple[TokenSequence, Sequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """Extend several sequences; see ``models.base.LanguageModel``."""
        checked: list[tuple[FakeSequence, list[int], int]] = []
        for sequence, ids in work:
            if not isinstance(sequence, FakeSequence) or sequence.owner() is not self:
                raise ParameterError("A sequence belongs to another model.")
            fitting = check_ids(
                ids,
                held=len(sequence),
                vocab_size=self.vocab_size,
                context_length=self.context_length,
            )
            checked.append((sequence, fitting.tolist(), check_rows(rows, len(fitting))))
        return [sequence.append(ids, reported) for sequence, ids, reported in checked]

    def close(self) -> None:
        """Do nothing: there is nothing to free."""
