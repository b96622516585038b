"""GGUF models through llama.cpp's low-level interface: the engine of the device.

Knows sequences, batches and logits; nothing of steering or prompts. The high-level ``Llama`` class
of llama-cpp-python holds one sequence and copies every logit; this uses the C functions, so that
several sequences go through the weights together and one copy is made, by the log-softmax.

Facts this rests on (llama.cpp as bound by llama-cpp-python 0.3.36):

- ``kv_unified=False`` gives each sequence its own cells. On a CPU the same ids in the same decode
  calls then give the same bits: in any slot, with any number of slots and threads, whatever the
  slot held before, whatever others hold, after a rollback, in a fork, and after an interrupted call
  (``bench/canonical.py``). Between calls of other sizes, logits of quantised models differ in the
  first decimal.
- Copying part of a sequence then aborts the process, so ``fork`` copies all of it.
- Sequences share a micro-batch only if their slots are consecutive, so batches go by slot.
- A failed GGML assertion ends the process: everything is checked before.
"""

from __future__ import annotations

import atexit
import logging
import threading
import weakref
from collections.abc import Sequence as AbstractSequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from costeer.exceptions import InterruptedModelError, ModelError, ParameterError
from costeer.models.base import LogProbs, Sequence
from costeer.models.engines.checks import check_ids, check_rows, check_sizes
from costeer.models.engines.llamacpp_batch import Batch, Job, shares
from costeer.models.engines.llamacpp_library import (
    Abort,
    check_file,
    library,
    load_weights,
    new_context,
    physical_cores,
)
from costeer.models.engines.llamacpp_tokenizer import LlamaTokenizer
from costeer.models.engines.sequence import OpenedSequence

logger = logging.getLogger(__name__)

OUTPUTS = 32
"""Logit rows of one decode call at most. 32 rows of 152k float32 are 19 MB, and llama.cpp
reserves them twice; by default it would reserve a row for every token of a batch, 311 MB."""

ABORTED = 2
"""``llama_decode``: ended by the abort callback; the cache is as before."""

SINGLES = 6
"""On a CPU, up to this many ids are evaluated one by one. For quantised weights llama.cpp has a
fast path for one id, and a slow one for two and three: two sequences in one call took 1.2 to 1.7
times as long as one after the other (``bench/batch.py``). The rows are then those of single steps
too, whatever else went along. On a GPU everything goes in one call."""

_open: weakref.WeakSet[LlamaCpp] = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """C destructors must not run after Python's own end: the log callback is gone by then."""
    for model in list(_open):
        model.close()


class LlamaSequence(OpenedSequence["LlamaCpp"]):
    """Ids, and the slot of the cache that holds them.

    The ids are the truth. Cells beyond them (after ``truncate``, or left by a decode that was
    interrupted) are removed when the slot is next used.
    """

    def __init__(self, model: LlamaCpp, slot: int, ids: AbstractSequence[int] = ()) -> None:
        super().__init__(model, ids)
        self.slot = slot

    def extend(self, ids: AbstractSequence[int], rows: int | None = None) -> LogProbs:
        """See ``models.base.Sequence``."""
        return self._extended(self, ids, rows)

    def truncate(self, length: int) -> None:
        """Forget everything after the first ``length`` ids."""
        self.shrink(length)

    def fork(self) -> LlamaSequence:
        """An independent copy; its cells are copied when a batch next runs."""
        return self.owner().fork(self)

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
        threads: threads that compute; by default the physical cores this process may use.
        batch: the most ids of one decode call. Ctrl-C is seen between two calls. 512 is no faster
            than 128 on a CPU; its work space takes 60 MB more.
        name: for people; by default the name of the file.

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
        check_file(Path(path))  # a wrong file is told also where the engine is missing
        self._lib = library()
        most = self._lib.llama_max_parallel_sequences()
        if sequences > most:
            raise ParameterError(f"sequences must be at most {most}, not {sequences}.")
        self.name = name or Path(path).stem
        self._model = load_weights(Path(path))
        trained: int = self._lib.llama_model_n_ctx_train(self._model)
        if context > trained:
            logger.warning("%s was trained for %d tokens; the context is cut.", self.name, trained)
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
        self.repeatable = self._singles > 0  # on a GPU it was not measured
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
            return self._opened(())

    def fork(self, source: LlamaSequence) -> LlamaSequence:
        """A second sequence with the same ids and its own copy of the cells."""
        with self._lock:
            copy = self._opened(source.tokens)
            copy.calls = list(source.calls)
            if len(source):
                self._lib.llama_memory_seq_cp(self._memory, source.slot, copy.slot, -1, -1)
            return copy

    def _opened(self, ids: AbstractSequence[int]) -> LlamaSequence:
        self._running()
        if not self._free:
            raise ModelError(f"All {self.max_sequences} sequences are in use.", "Close one.")
        self._free.sort()  # neighbouring slots share micro-batches
        sequence = LlamaSequence(self, self._free.pop(0), ids)
        self._sequences.add(sequence)
        return sequence

    def release(self, slot: int) -> None:
        """A sequence is closed: its slot may be used again."""
        with self._lock:
            self._free.append(slot)

    def extend_many(
        self,
        work: AbstractSequence[tuple[Sequence, AbstractSequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """See ``models.base.LanguageModel``.

        Raises:
            NotFiniteError: the model gives NaN; the sequences are unchanged.
            InterruptedModelError: ``interrupt`` was called; the sequences are unchanged.
            ModelError: llama.cpp could not compute; the sequences are unchanged.
        """
        with self._lock:
            self._running()
            jobs = [self._job(sequence, ids, rows) for sequence, ids in work]
            if len({job.sequence.slot for job in jobs}) < len(jobs):
                raise ParameterError("A sequence appears twice in one batch.")
            by_slot = sorted(jobs, key=lambda job: job.sequence.slot)
            for job in by_slot:
                self._trim(job.sequence)
            self._abort.clear()
            while waiting := [job for job in by_slot if job.left]:
                self._decode(*self._next_batch(waiting))
            # Only now, all together: whatever stopped the loop left every sequence as it was.
            for job in jobs:
                job.sequence.grow(job.ids.tolist(), job.calls)
            return [job.result for job in jobs]

    def interrupt(self) -> None:
        """End the call of ``extend_many`` that another thread is in, within a millisecond or so."""
        self._abort.set()

    def _job(self, sequence: Sequence, ids: AbstractSequence[int], rows: int | None) -> Job:
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
        return Job(sequence, checked, len(checked) - reported, result)

    def _trim(self, sequence: LlamaSequence) -> None:
        """Remove cells beyond the sequence's ids."""
        held = self._lib.llama_memory_seq_pos_max(self._memory, sequence.slot) + 1
        if held > len(sequence):
            self._lib.llama_memory_seq_rm(self._memory, sequence.slot, len(sequence), -1)

    def _next_batch(self, jobs: list[Job]) -> tuple[list[Job], int]:
        """Which jobs go into the next decode call, and the most ids of it together."""
        if sum(job.left for job in jobs) <= self._singles:
            return jobs[:1], 1
        return jobs, self._batch.size

    def _decode(self, jobs: AbstractSequence[Job], size: int) -> None:
        """One decode call over a fair share of every job, at most ``size`` ids, and its rows."""
        self._batch.clear()
        outputs = 0
        parts = []
        for job, share in zip(jobs, shares(jobs, size), strict=True):
            count = min(share, job.until(self._outputs // len(jobs)))
            reported = self._batch.add(job, count)
            parts.append((job, count, slice(outputs, outputs + reported)))
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
        for job, count, taken in parts:
            job.store(logits[taken], count, alone=len(parts) == 1)

    def _logits(self, outputs: int) -> npt.NDArray[np.float32]:
        """(outputs, V) view into llama.cpp's buffer, good until the next decode; no padding."""
        width = self.tokenizer.padded_size
        if not outputs:
            return np.empty((0, self.vocab_size), dtype=np.float32)
        pointer = self._lib.llama_get_logits(self._context)
        return np.ctypeslib.as_array(pointer, (outputs, width))[:, : self.vocab_size]

    def _running(self) -> None:
        if self._context is None:
            raise ModelError("This model is closed.", "Load it again.")

    def close(self) -> None:
        """Free the model and all its sequences. Closing twice is fine."""
        with self._lock:
            if self._model is None:
                return
            for sequence in list(self._sequences):
                sequence.close()
            if hasattr(self, "tokenizer"):  # not when loading was interrupted
                self.tokenizer.close()
            if self._context is not None:
                self._lib.llama_free(self._context)
            self._lib.llama_model_free(self._model)
            self._model = self._context = None

    def __del__(self) -> None:
        self.close()
