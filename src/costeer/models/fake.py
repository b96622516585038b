"""A deterministic toy model for tests, demonstrations of failure, and offline trials.

It ships as a fake and says so: it writes nonsense. Tokens are single bytes plus a few control
tokens; every next-token distribution is a pure function of the seed and of all ids before it, so
the same ids give bit-identical rows however they were fed. Nothing here imitates a real model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence as AbstractSequence

import numpy as np

from costeer.decoding.steering import log_softmax
from costeer.decoding.vocabulary import Vocabulary
from costeer.exceptions import ContextLengthError, ModelError, ParameterError
from costeer.models.base import LogProbs, Message, Sequence

BYTES = 256
START, END = 256, 257  # "<|start|>", "<|end|>"
CONTROL = ("<|start|>", "<|end|>")


class FakeTokenizer:
    """One token a byte; ids from 258 on are filler that decodes to nothing."""

    def __init__(self, vocab_size: int, family: str = "fake") -> None:
        filler = [f"<|{family}-{i}|>" for i in range(vocab_size - BYTES - len(CONTROL))]
        self.vocabulary = Vocabulary([*(f"byte-{i}" for i in range(BYTES)), *CONTROL, *filler])
        self.eos_ids = frozenset({END})

    def encode(self, text: str) -> list[int]:
        """The UTF-8 bytes of the text."""
        return list(text.encode())

    def decode_bytes(self, ids: AbstractSequence[int]) -> bytes:
        """The byte tokens among ``ids``."""
        return bytes(i for i in ids if i < BYTES)

    def chat(self, messages: AbstractSequence[Message]) -> list[int]:
        """``<|start|>role\\ncontent<|end|>`` a message, then an open assistant turn."""
        ids: list[int] = []
        for message in messages:
            ids += [START, *self.encode(f"{message['role']}\n{message['content']}"), END]
        return [*ids, START, *self.encode("assistant\n")]


class FakeSequence:
    """Ids; the rows are computed from them afresh."""

    def __init__(self, model: FakeModel, ids: AbstractSequence[int] = ()) -> None:
        self._model = model
        self._ids = list(ids)
        self._open = True

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids evaluated so far."""
        return tuple(self._ids)

    def __len__(self) -> int:
        return len(self._ids)

    def check(self, ids: AbstractSequence[int]) -> None:
        """Raise what ``extend`` would raise for ``ids``."""
        if not self._open:
            raise ModelError("This sequence is closed.", "Open another one.")
        if not ids:
            raise ParameterError("There are no tokens to extend with.")
        if min(ids) < 0 or max(ids) >= self._model.vocab_size:
            raise ParameterError("A token id is outside the vocabulary.")
        if len(self) + len(ids) > self._model.context_length:
            raise ContextLengthError(
                f"{len(self) + len(ids)} tokens do not fit into the model's "
                f"{self._model.context_length}.",
                "Shorten the text.",
            )

    def extend(self, ids: AbstractSequence[int], rows: int | None = None) -> LogProbs:
        """See ``models.base.Sequence``."""
        return self._model.extend_many([(self, ids)], rows)[0]

    def append(self, ids: AbstractSequence[int], rows: int | None) -> LogProbs:
        """Append checked ids."""
        reported = len(ids) if rows is None else min(rows, len(ids))
        self._ids += ids
        ends = range(len(self._ids) - reported + 1, len(self._ids) + 1)
        return np.stack([self._model.logprobs(self._ids[:end]) for end in ends])

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        del self._ids[max(length, 0) :]

    def fork(self) -> FakeSequence:
        """An independent copy."""
        return self._model.open(self._ids)

    def close(self) -> None:
        """Free the slot."""
        if self._open:
            self._open = False
            self._model.opened -= 1


class FakeModel:
    """Next-token rows drawn from a generator seeded by the ids.

    Args:
        vocab_size: at least 258.
        seed: models of one seed are identical; of two seeds, different "weights".
        context_length: the most ids a sequence holds.
        max_sequences: the most sequences open at once.
        family: models of two families have different tokenizers.
        peak: how sharply the rows are peaked; larger is surer of itself.
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
        self.opened = 0
        self._seed = seed
        self._peak = peak

    def logprobs(self, ids: AbstractSequence[int]) -> LogProbs:
        """(V,) the row that follows ``ids``: mostly its last three ids, a little all of them."""
        near = self._noise(ids[-3:])
        far = self._noise(ids)
        logits = self._peak * near + 0.5 * far
        logits[END] -= 2.0  # answers of some length
        return log_softmax(logits)

    def _noise(self, ids: AbstractSequence[int]) -> LogProbs:
        digest = hashlib.blake2b(
            np.asarray([self._seed, *ids], dtype=np.int64).tobytes(), digest_size=8
        ).digest()
        rng = np.random.default_rng(int.from_bytes(digest, "little"))
        return rng.standard_normal(self.vocab_size, dtype=np.float32)

    def open(self, ids: AbstractSequence[int] = ()) -> FakeSequence:
        """Open a sequence that already holds ``ids``."""
        if self.opened >= self.max_sequences:
            raise ModelError(f"All {self.max_sequences} sequences are in use.", "Close one.")
        self.opened += 1
        return FakeSequence(self, ids)

    def sequence(self) -> FakeSequence:
        """Open an empty sequence."""
        return self.open()

    def extend_many(
        self,
        work: AbstractSequence[tuple[Sequence, AbstractSequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """See ``models.base.LanguageModel``."""
        own = [(seq, ids) for seq, ids in work if isinstance(seq, FakeSequence)]
        if len(own) != len(work):
            raise ParameterError("A sequence belongs to another model.")
        for sequence, ids in own:
            sequence.check(ids)
        return [sequence.append(ids, rows) for sequence, ids in own]

    def close(self) -> None:
        """Nothing to free."""
