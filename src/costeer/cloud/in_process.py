"""The LLM in this process: ``CloudModel`` without a socket.

Continues token ids greedily and keeps the evaluated prefix for the next request. Nothing leaves the
machine; every exchange is still recorded, with zero bytes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager

from costeer.cloud.base import CloudInfo, CloudStep, Recorder, TrafficRecord, check_request
from costeer.cloud.cancellation import Stop, either
from costeer.cloud.fair import FairSemaphore
from costeer.cloud.row_cache import ROWS, RowCache
from costeer.cloud.topk import greedy_step
from costeer.exceptions import (
    ContextLengthError,
    InterruptedModelError,
    ModelError,
)
from costeer.models.base import Interruptible, LanguageModel, LogProbs, TokenSequence
from costeer.models.prefix import CanonicalCalls, common_length


class InProcess:
    """``CloudModel`` over a local model. May be used from several threads; steps wait in turn.

    Idle sequences are kept. Each stream takes the one with the longest common prefix, opens another
    one, or waits for a stream of another thread to release one. A stream of one step whose row is
    in the ``row_cache`` needs none.

    Args:
        model: closed by the caller unless ``owned``.
        record: called once for each stream that was started.
        owned: whether ``close`` also frees the model.
    """

    def __init__(
        self, model: LanguageModel, record: Recorder | None = None, *, owned: bool = False
    ) -> None:
        self._model = model
        self._record = record
        self._owned = owned
        self._closed = Stop()
        self._canonical = CanonicalCalls(model)
        self._engine = FairSemaphore(1)  # so that streams take turns, token by token
        self._freed = threading.Condition()
        self._opened: list[TokenSequence] = []
        self._idle: list[TokenSequence] = []
        self._holders: list[int] = []  # threads, one entry per open stream
        self._rows = RowCache()

    def info(self) -> CloudInfo:
        """Describe the model."""
        return CloudInfo(
            model=self._model.name,
            vocab_size=self._model.vocab_size,
            fingerprint=self._model.tokenizer.vocabulary.fingerprint,
            context_length=self._model.context_length,
            eos_ids=frozenset(self._model.tokenizer.eos_ids),
            max_top_k=self._model.vocab_size,
            remembered_steps=ROWS,
        )

    def stream(
        self,
        prompt_ids: Sequence[int],
        top_k: int,
        max_tokens: int,
        stop: Stop | None = None,
        *,
        replaces: Generator[CloudStep, None, None] | None = None,
    ) -> Generator[CloudStep, None, None]:
        """Continue a prompt; ``replaces`` has no effect, as there is no connection to keep.

        Raises:
            ContextLengthError: the prompt alone does not fit.
            ParameterError: no prompt, or ``top_k`` or ``max_tokens`` below 1.
            StoppedError: ``stop`` was set, or ``close`` called.
            ModelError: this thread alone has more streams open than the model has sequences.
        """
        prompt = tuple(int(i) for i in prompt_ids)
        check_request(prompt, top_k, max_tokens)
        context = self._model.context_length
        if len(prompt) > context:
            raise ContextLengthError(
                f"{len(prompt):,} prompt tokens do not fit into the model's {context:,}.",
                "Shorten the conversation, or load the model with a longer context.",
            )
        return self._stream(prompt, top_k, min(max_tokens, context - len(prompt) + 1), stop)

    def close(self) -> None:
        """Stop all streams, close the idle sequences, and free the model if it is owned."""
        self._closed.set()
        with self._engine.permit():
            while self._idle:
                sequence = self._idle.pop()
                self._opened.remove(sequence)
                sequence.close()
            if self._owned:
                self._model.close()

    def _stream(
        self, prompt: tuple[int, ...], k: int, max_tokens: int, stop: Stop | None
    ) -> Generator[CloudStep, None, None]:
        with either(stop, self._closed) as both:
            both.check()
            try:
                row = self._remembered(prompt) if max_tokens == 1 else None
                if row is not None:
                    yield greedy_step(row, k)
                    return
                with both.calling(self._wake), self._lend(prompt, both) as sequence:
                    yield from self._steps(sequence, prompt, k, max_tokens, both)
            finally:
                if self._record is not None:
                    self._record(TrafficRecord(time.time(), "in process", prompt, 0, 0))

    def _remembered(self, prompt: tuple[int, ...]) -> LogProbs | None:
        return self._rows.get(prompt, self._canonical.required_calls(prompt))

    def _steps(
        self, sequence: TokenSequence, prompt: tuple[int, ...], k: int, max_tokens: int, stop: Stop
    ) -> Generator[CloudStep, None, None]:
        with self._engine.permit():
            pieces = self._canonical.rewind(sequence, prompt)
        for piece in pieces:
            row = self._extend(sequence, piece, stop)
        for remaining in range(max_tokens - 1, -1, -1):
            self._rows.put(sequence.ids, sequence.calls, row)
            step = greedy_step(row, k)
            yield step
            if not remaining or step.token in self._model.tokenizer.eos_ids:
                return
            row = self._extend(sequence, [step.token], stop)

    def _extend(self, sequence: TokenSequence, ids: Sequence[int], stop: Stop) -> LogProbs:
        """Append ids; return the row (V,) after them."""
        with self._engine.permit(stop), stop.calling(self._interrupt):
            stop.check()
            try:
                row: LogProbs = sequence.extend(ids, rows=1)[-1]
            except InterruptedModelError:
                stop.check()
                raise
            return row

    def _interrupt(self) -> None:
        if isinstance(self._model, Interruptible):
            self._model.interrupt()

    def _wake(self) -> None:
        with self._freed:
            self._freed.notify_all()

    @contextmanager
    def _lend(self, prompt: tuple[int, ...], stop: Stop) -> Iterator[TokenSequence]:
        """Lend a sequence to one stream."""
        me = threading.get_ident()
        with self._freed:
            sequence = self._take(prompt, me, stop)
            self._holders.append(me)
        try:
            yield sequence
        finally:
            with self._freed:
                self._holders.remove(me)
                self._idle.append(sequence)
                self._freed.notify()

    def _take(self, prompt: tuple[int, ...], me: int, stop: Stop) -> TokenSequence:
        while not self._idle:
            stop.check()
            try:
                self._opened.append(self._model.sequence())
                return self._opened[-1]
            except ModelError:
                if self._holders.count(me) == len(self._holders):  # no other thread can release one
                    raise
                self._freed.wait()
        shared = [common_length(sequence.ids, prompt) for sequence in self._idle]
        return self._idle.pop(shared.index(max(shared)))
