"""Models through torch and transformers: the exact reference engine, and GPUs.

Knows sequences and caches; nothing about steering or prompts. In float32 on a CPU the same ids in
the same shapes give the same bits, and sequences run one after another, so a row never depends on
other sequences. Evaluating n ids at once or one by one still differs by rounding.

Source: https://huggingface.co/docs/transformers/kv_cache. Its cache grows by making new tensors,
so nothing that was computed is ever overwritten.

Deviation from the contract's "one batch": ``extend_many`` runs the sequences in turn, except for
single ids where rows are not repeatable anyway (``transformers_batch``).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from costeer.decoding.steering import log_softmax
from costeer.decoding.vocabulary import cut
from costeer.exceptions import (
    ModelError,
    ModelFileError,
    NotFiniteError,
    ParameterError,
)
from costeer.models.base import SHARED, Call, LogProbs, TokenSequence
from costeer.models.engines.checks import Ids, check_ids, check_rows, check_sizes
from costeer.models.engines.torch_device import (
    avoid_plans,
    check_device,
    is_out_of_memory,
    memory_error,
    release_memory,
)
from costeer.models.engines.transformers_batch import can_join, step_together
from costeer.models.engines.transformers_library import cannot_roll_back, eos_ids, import_library
from costeer.models.engines.transformers_sequence import TransformersSequence
from costeer.models.engines.transformers_tokenizer import TransformersTokenizer

CHUNK = 512
"""The most ids per forward pass; Ctrl-C takes effect between two."""


Job = tuple[TransformersSequence, Ids]
"""A sequence, and what to append to it."""


class Transformers:
    """A model folder or hub name, loaded by transformers.

    Args:
        path_or_id: a folder with ``config.json``, or a name that the hub's cache knows.
        device: a torch device, "cpu" or "cuda", say. On the latter this process's attention
            is computed without cuDNN.
        dtype: a torch dtype's name; by default float32 on a CPU and bfloat16 elsewhere.
        context: the most ids of one sequence; cut to what the model was trained for.
        sequences: the most sequences open at once.
        threads: torch's computing threads, for the whole process; None leaves them alone.

    Raises:
        MissingDependencyError: torch or transformers is not installed.
        ModelFileError: the folder does not hold a usable model.
        ModelError: the model does not fit into the device's memory.
        ParameterError: a size is less than 1, or there is no such dtype or device.
    """

    def __init__(
        self,
        path_or_id: str | Path,
        *,
        device: str = "cpu",
        dtype: str | None = None,
        context: int = 4096,
        sequences: int = 2,
        threads: int | None = None,
    ) -> None:
        check_sizes(context=context, sequences=sequences, threads=1 if threads is None else threads)
        self._torch, self._library = import_library()
        if threads is not None:
            self._torch.set_num_threads(threads)
        self.name = Path(path_or_id).name
        self._device = check_device(self._torch, device)
        avoid_plans(self._torch, self._device)
        on_cpu = self._device.type == "cpu"
        self._lock = threading.RLock()
        kind = dtype or ("float32" if on_cpu else "bfloat16")
        self._model, tokenizer = self._load(str(path_or_id), kind)
        config = self._model.config
        self.context_length = min(context, getattr(config, "max_position_embeddings", context))
        self.max_sequences = sequences
        self.exact_batch = 1
        self.repeatable = on_cpu  # GPU kernels do not guarantee it
        self._joins = not self.repeatable and can_join(config)
        self.opened: set[TransformersSequence] = set()
        self.tokenizer = TransformersTokenizer(tokenizer, eos_ids(self._model))
        self.vocab_size = len(self.tokenizer.vocabulary)

    def _load(self, name: str, dtype: str) -> tuple[Any, Any]:
        kind = getattr(self._torch, dtype, None)
        if not isinstance(kind, self._torch.dtype) or not kind.is_floating_point:
            raise ParameterError(f"{dtype!r} is no dtype of weights.", 'Write "float32", say.')
        try:
            tokenizer = self._library.AutoTokenizer.from_pretrained(name)
            # Converting a loaded model would also round the frequencies of its rotary embedding.
            model = self._library.AutoModelForCausalLM.from_pretrained(name, dtype=kind)
            if cannot_roll_back(model.config):
                raise ModelFileError(
                    f"{name} is not a plain decoder: its state cannot be rolled back.",
                    "Choose a transformer decoder such as Qwen2.5 or Llama 3.",
                )
            return model.to(self._device).eval(), tokenizer
        except ModelFileError:
            raise
        except Exception as error:  # its loaders raise anything, by format and version
            if is_out_of_memory(error):
                raise memory_error(self._device) from error
            raise ModelFileError(
                f"{name} cannot be loaded by transformers.",
                "Check that it holds config.json, the weights and tokenizer.json.",
            ) from error

    def sequence(self) -> TransformersSequence:
        """Open an empty sequence."""
        with self._lock:
            self._require_open()
            if len(self.opened) >= self.max_sequences:
                raise ModelError(f"All {self.max_sequences} sequences are in use.", "Close one.")
            sequence = TransformersSequence(self, self._library.DynamicCache())
            self.opened.add(sequence)
            return sequence

    def extend_many(
        self,
        work: Sequence[tuple[TokenSequence, Sequence[int]]],
        rows: int | None = None,
    ) -> list[LogProbs]:
        """Extend several sequences; see ``models.base.LanguageModel``.

        Raises:
            NotFiniteError: the model gives NaN; the sequences are unchanged.
            ModelError: the device's memory is full; the sequences are unchanged.
        """
        with self._lock:
            self._require_open()
            jobs = [(self._own(sequence), self._checked(sequence, ids)) for sequence, ids in work]
            if len({id(sequence) for sequence, _ in jobs}) < len(jobs):
                raise ParameterError("A sequence appears twice in one batch.")
            counts = [check_rows(rows, len(ids)) for _, ids in jobs]
            if self._can_step_together(jobs):
                return self._step_together(jobs, counts)
            held = [sequence.cache.get_seq_length() for sequence, _ in jobs]
            results = [
                self._evaluate(sequence, ids, count)
                for (sequence, ids), count in zip(jobs, counts, strict=True)
            ]
            # Only now, all together: an exception in a pass leaves every sequence unchanged.
            for (sequence, ids), start in zip(jobs, held, strict=True):
                end = len(sequence) + len(ids)
                del sequence.calls[start:]  # a lost cache was rebuilt
                sequence.grow(ids.tolist(), _passes(min(start, len(sequence)), end))
            return results

    def _can_step_together(self, jobs: Sequence[Job]) -> bool:
        """Whether these are single ids, after all that their sequences hold."""
        return (
            self._joins
            and len(jobs) > 1
            and all(len(ids) == 1 for _, ids in jobs)
            and all(sequence.cache.get_seq_length() >= len(sequence) for sequence, _ in jobs)
        )

    def _step_together(self, jobs: Sequence[Job], counts: Sequence[int]) -> list[LogProbs]:
        sequences = [sequence for sequence, _ in jobs]
        ids = [int(ids[0]) for _, ids in jobs]

        def step() -> LogProbs:
            caches = [sequence.cache for sequence in sequences]
            with self._torch.inference_mode():
                return self._log_probs(
                    step_together(self._torch, self._library, self._model, caches, ids)
                )

        for sequence in sequences:
            sequence.align()
        found = self._whole(sequences, step)
        for sequence, token in zip(sequences, ids, strict=True):
            sequence.grow([token], [(len(sequence), SHARED)])
        return [found[i : i + min(count, 1)] for i, count in enumerate(counts)]

    def _own(self, sequence: TokenSequence) -> TransformersSequence:
        if not isinstance(sequence, TransformersSequence) or sequence.owner() is not self:
            raise ParameterError("A sequence belongs to another model.")
        return sequence

    def _checked(self, sequence: TokenSequence, ids: Sequence[int]) -> Ids:
        return check_ids(
            ids,
            held=len(sequence),
            vocab_size=self.vocab_size,
            context_length=self.context_length,
        )

    def _evaluate(self, sequence: TransformersSequence, ids: Ids, rows: int) -> LogProbs:
        """Return (rows, V) after the last of ``ids``; the cache grows, not the sequence's ids."""
        sequence.align()
        held = sequence.cache.get_seq_length()
        pending = np.concatenate([np.asarray(sequence.tokens[held:], dtype=np.int32), ids])

        def read() -> LogProbs:
            parts = []
            for start in range(0, len(pending), CHUNK):
                chunk = pending[start : start + CHUNK]
                reported = len(chunk) - max(len(pending) - rows - start, 0)
                parts.append(self._pass(sequence, chunk, max(reported, 0)))
            return np.concatenate(parts)

        return self._whole([sequence], read)

    def _whole(
        self, sequences: Sequence[TransformersSequence], work: Callable[[], LogProbs]
    ) -> LogProbs:
        """Do work on caches; if it fails, they are computed from the ids next time."""
        try:
            return work()
        except BaseException as error:
            for sequence in sequences:  # some layers may have grown and others not
                sequence.cache = self._library.DynamicCache()
            if not is_out_of_memory(error):
                raise
        # Out here, because the frames of the first error hold the tensors of the pass.
        raise memory_error(self._device)

    def _pass(self, sequence: TransformersSequence, ids: Ids, rows: int) -> LogProbs:
        """Run one forward pass over (n,) ids; return the last rows, (rows, V)."""
        batch = self._torch.as_tensor(ids[None], dtype=self._torch.long, device=self._device)
        with self._torch.inference_mode():
            output = self._model(
                input_ids=batch,
                past_key_values=sequence.cache,
                use_cache=True,
                logits_to_keep=max(rows, 1),  # 0 would mean all
            )
            return self._log_probs(output.logits[0, output.logits.shape[1] - rows :])

    def _log_probs(self, logits: Any) -> LogProbs:
        """Normalise a tensor of logits (n, W) to rows (n, V)."""
        with np.errstate(invalid="ignore"):
            result = log_softmax(cut(logits.float().cpu().numpy(), self.vocab_size))
        if np.isnan(result[:, 0]).any():  # one NaN spreads over its whole row
            raise NotFiniteError(
                "The model gives log-probabilities that are not numbers.",
                "Its files are damaged, or the dtype is too narrow; try float32.",
            )
        return result

    def _require_open(self) -> None:
        if self._model is None:
            raise ModelError("This model is closed.", "Load it again.")

    def close(self) -> None:
        """Free the model and all its sequences. May be called twice."""
        with self._lock:
            for sequence in list(self.opened):
                sequence.close()
            if self._model is not None:
                self._model = None
                release_memory(self._torch, self._device)


def _passes(start: int, end: int) -> list[Call]:
    """Return the forward pass of each id from ``start`` on."""
    return [
        (first, min(first + CHUNK, end))
        for first in range(start, end, CHUNK)
        for _ in range(first, min(first + CHUNK, end))
    ]
