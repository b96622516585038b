"""GGUF models through llama.cpp's low-level interface: the engine of the device.

Knows sequences, batches and logits; nothing about steering or prompts. The high-level ``Llama``
class of llama-cpp-python holds one sequence and copies every logit. This uses the C functions, so
several sequences go through the weights together, and only the log-softmax makes a copy.

Facts this rests on (llama.cpp as bound by llama-cpp-python 0.3.36):

- ``kv_unified=False`` gives each sequence its own cells. On a CPU the same ids in the same decode
  calls then give the same bits: in any slot, with any number of slots and threads, whatever this
  and other slots hold or held, after a rollback, and after an interrupted call
  (``bench/canonical.py``). Between calls of other sizes, logits of quantised models differ in the
  first decimal.
- Sequences share a micro-batch only if their slots are consecutive, so batches go by slot.
- A failed GGML assertion ends the process: everything is checked before.
"""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from costeer.decoding.steering import Array
from costeer.exceptions import InterruptedModelError, ModelError, ParameterError
from costeer.models.base import LogProbs, TokenSequence
from costeer.models.engines.checks import check_ids, check_rows, check_sizes
from costeer.models.engines.llamacpp_batch import Batch, Evaluation, SlotSequence, shares
from costeer.models.engines.llamacpp_library import (
    Abort,
    check_file,
    library,
    load_weights,
    new_context,
    physical_cores,
)
from costeer.models.engines.llamacpp_tokenizer import LlamaTokenizer
from costeer.models.engines.sequence import OwnedSequence

logger = logging.getLogger(__name__)

OUTPUTS = 32
"""The most logit rows per decode call. 32 rows of 152k float32 are 19 MB, and llama.cpp
reserves them twice; by default it would reserve a row for every token of a batch, 311 MB."""

ABORTED = 2
"""``llama_decode``'s code for: ended by the abort callback; the cache is unchanged."""

SINGLES = 6
"""On a CPU, up to this many ids are evaluated one by one. For quantised weights llama.cpp has a
fast path for one id and a slow one for two and three: two sequences in one call took 1.2 to 1.7
times as long as one after the other (``bench/batch.py``). The rows are then also those of single
steps, whatever else is evaluated. On a GPU everything goes into one call."""

_open: weakref.WeakSet[LlamaCpp] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Close models before Python ends: C destructors need the log callback."""
    for model in list(_open):
        model.close()


class LlamaSequence(OwnedSequence["LlamaCpp"]):
    """Ids, and the slot of the cache that holds them.

    The ids are authoritative. Cells beyond them (after ``truncate`` or an interrupted decode) are
    removed when the slot is next used.
    """

    def __init__(self, model: LlamaCpp, slot: int) -> None:
        super().__init__(model)
        self.slot = slot

    def extend(self, ids: Sequence[int], rows: int | None = None) -> LogProbs:
        """Append ids; see ``models.base.TokenSequence``."""
        return self._extended(self, ids, rows)

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        self.shrink(length)

    def close(self) -> None:
        """Free the slot."""
        model, self.model = self.model, None
        if model is not None:
            model.release(self.slot)


class LlamaCpp:
    """A GGUF model in memory. Safe to call from several threads; calls wait for each other.

    Args:
        path: the .gguf file.
        context: the most ids one sequence may hold; cut to what the model was trained for.
        sequences: the most sequences open at once; each has cells for a whole context.
        threads: computing threads; by default the physical cores this process may use.
        batch: the most ids of one decode call. Ctrl-C is seen between two calls. 512 is no faster
            than 128 on a CPU; its work space takes 60 MB more.
        name: for display; by default the name of the file.

    Raises:
        MissingDependencyError: llama-cpp-python is not installed.
        ModelFileError: the file is not a usable model.
        ModelError: there is not enough memory for the cache.
        ParameterError: a size is less than 1.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        context: int = 4096,
        sequences: int = 2,
        threads: int | None = None,
        batch: int = 256,
        name: str | None = None,
    ) -> None:
        self._model = self._context = None  # so that close() works after a failed start
        self._lock = threading.RLock()
        threads = physical_cores() if threads is None else threads
        check_sizes(context=context, sequences=sequences, threads=threads, batch=batch)
        check_file(Path(path))  # a wrong file is reported even without the engine
        self._lib = library()
        most = self._lib.llama_max_parallel_sequences()
        if sequences > most:
            raise ParameterError(f"sequences must be at most {most}, not {sequences}.")
        self.name = name or Path(path).stem
        self._model = load_weights(Path(path))
        trained: int = self._lib.llama_model_n_ctx_train(self._model)
        if context > trained:
            logger.warning(
                "%s was trained for %d tokens; the context is reduced to that.", self.name, trained
            )
        self.context_length = min(context, trained)
        self.max_sequences = sequences
        self._free = list(range(sequences))
        self._sequences: weakref.WeakSet[LlamaSequence] = weakref.WeakSet()
        _open.add(self)
        self.tokenizer = LlamaTokenizer(self._model)
        self.vocab_size = len(self.tokenizer.vocabulary)
        self._outputs = max(OUTPUTS, sequences)
        self._singles = 0 if self._lib.llama_supports_gpu_offload() else SINGLES
        self.exact_batch = max(self._singles, 1)
        self.repeatable = self._singles > 0  # not measured on GPUs
        self._batch = Batch(max(batch, sequences), self._lib)
        self._context = self._start(threads)
        self._memory = self._lib.llama_get_memory(self._context)
        self._abort = Abort(self._context)

    def _start(self, threads: int) -> Any:
        context = new_context(
            self._model,
            context=self.context_length,
            sequences=self.max_sequences,
            batch=self._batch.size,
            outputs=self._outputs,
            threads=threads,
        )
        if not context:
            self.close()
            size = f"{self.max_sequences} sequences of {self.context_length} tokens"
            raise ModelError(f"There is no room for {size}.", "Ask for fewer, or free some memory.")
        return context

    def sequence(self) -> LlamaSequence:
        """Open an empty sequence."""
        with self._lock:
            self._require_open()
            if not self._free:
                raise ModelError(f"All {self.max_sequences} sequences are in use.", "Close one.")
            self._free.sort()  # neighbouring slots share micro-batches
            sequence = LlamaSequence(self, self._free.pop(0))
            self._sequences.add(sequence)
            return sequence

    def release(self, slot: int) -> None:
        """Make the slot of a closed sequence available again."""
        with self._lock:
            self._free.append(slot)

    def extend_many(
        self,
        work: Sequence[tuple[TokenSequence, Sequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """Extend several sequences; see ``models.base.LanguageModel``.

        Raises:
            NotFiniteError: the model gives NaN; the sequences are unchanged.
            InterruptedModelError: ``interrupt`` was called; the sequences are unchanged.
            ModelError: llama.cpp could not compute; the sequences are unchanged.
        """
        with self._lock:
            self._require_open()
            evaluations = [self._prepare(sequence, ids, rows) for sequence, ids in work]
            if len({evaluation.sequence.slot for evaluation in evaluations}) < len(evaluations):
                raise ParameterError("A sequence appears twice in one batch.")
            by_slot = sorted(evaluations, key=lambda evaluation: evaluation.sequence.slot)
            for evaluation in by_slot:
                self._trim(evaluation.sequence)
            self._abort.clear()
            while waiting := [evaluation for evaluation in by_slot if evaluation.remaining]:
                self._decode(*self._next_batch(waiting))
            # Only now, all together: an exception in the loop leaves every sequence unchanged.
            for evaluation in evaluations:
                evaluation.sequence.grow(evaluation.ids.tolist(), evaluation.calls)
            return [evaluation.result for evaluation in evaluations]

    def interrupt(self) -> None:
        """End a running call of ``extend_many``, within about a millisecond."""
        self._abort.set()

    def _prepare(self, sequence: TokenSequence, ids: Sequence[int], rows: int | None) -> Evaluation:
        if not isinstance(sequence, LlamaSequence) or sequence.owner() is not self:
            raise ParameterError("A sequence belongs to another model.")
        checked = check_ids(
            ids,
            held=len(sequence),
            vocab_size=self.vocab_size,
            context_length=self.context_length,
        )
        reported = check_rows(rows, len(checked))
        result = np.empty((reported, self.vocab_size), dtype=np.float32)
        return Evaluation(sequence, checked, len(checked) - reported, result)

    def _trim(self, sequence: SlotSequence) -> None:
        """Remove cells beyond the sequence's ids."""
        held = self._lib.llama_memory_seq_pos_max(self._memory, sequence.slot) + 1
        if held > len(sequence):
            self._lib.llama_memory_seq_rm(self._memory, sequence.slot, len(sequence), -1)

    def _next_batch(self, evaluations: list[Evaluation]) -> tuple[list[Evaluation], int]:
        """Choose the evaluations of the next decode call, and the most ids it may have."""
        if sum(evaluation.remaining for evaluation in evaluations) <= self._singles:
            return evaluations[:1], 1
        return evaluations, self._batch.size

    def _decode(self, evaluations: Sequence[Evaluation], size: int) -> None:
        """Run one decode call of at most ``size`` ids, shared fairly, and store its rows."""
        self._batch.clear()
        outputs = 0
        parts = []
        for evaluation, share in zip(evaluations, shares(evaluations, size), strict=True):
            count = min(share, evaluation.until(self._outputs // len(evaluations)))
            reported = self._batch.add(evaluation, count)
            parts.append((evaluation, count, slice(outputs, outputs + reported)))
            outputs += reported
        code = self._lib.llama_decode(self._context, self._batch.struct)
        if code == ABORTED:
            raise InterruptedModelError("The computation was interrupted.")
        if code:
            raise ModelError(
                f"llama.cpp could not compute a batch (code {code}).",
                "Free some memory, or ask for a smaller context.",
            )
        logits = self._logits(outputs)
        for evaluation, count, taken in parts:
            evaluation.store(logits[taken], count, alone=len(parts) == 1)

    def _logits(self, outputs: int) -> Array:
        """Return (outputs, V), a view into llama.cpp's buffer, valid until the next decode."""
        width = self.tokenizer.padded_size
        if not outputs:
            return np.empty((0, self.vocab_size), dtype=np.float32)
        pointer = self._lib.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, (outputs, width))[:, : self.vocab_size]

    def _require_open(self) -> None:
        if self._context is None:
            raise ModelError("This model is closed.", "Load it again.")

    def close(self) -> None:
        """Free the model and all its sequences. May be called twice."""
        with self._lock:
            if self._model is None:
                return
            for sequence in list(self._sequences):
                sequence.close()
            if hasattr(self, "tokenizer"):  # missing if loading was interrupted
                self.tokenizer.close()
            if self._context is not None:
                self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._model = self._context = None

    def __del__(self) -> None:
        self.close()
