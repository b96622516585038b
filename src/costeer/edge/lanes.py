"""Several answers on one small model: lanes of two sequences, and turns on the engine.

A *lane* is a ``SlmPair``, which keeps its cache from answer to answer. An answer holds a lane until
it ends; it gets the free one that shares the longest prefix with its prompt, so that a conversation
finds its cache. Where all lanes are held, answers wait in order: by priority, then first come,
first served. The engine runs one call at a time, for the lanes in turn: a token of one answer, or
``prefix.CHUNK`` tokens of a prompt. So an answer waits for at most one call of each other lane.

Rows do not depend on the lane or on its neighbours (``models.prefix``), so texts written at once
equal those written one after another.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from costeer.cloud.cancellation import Stop
from costeer.cloud.fair import FairSemaphore
from costeer.edge.slm import SlmPair
from costeer.exceptions import InterruptedModelError, UsageError
from costeer.models.base import Interruptible, LanguageModel
from costeer.models.prefix import common_length


class Lanes:
    """Up to ``count`` lanes over one model, opened when they are first needed.

    Args:
        model: with two sequences for each lane; fewer lanes where it has fewer.
        count: answers that are steered at the same time.
    """

    def __init__(self, model: LanguageModel, count: int) -> None:
        self._model = model
        self.count = max(1, min(count, model.max_sequences // 2))
        self._free = FairSemaphore(self.count)
        self._engine = FairSemaphore(1)
        self._lock = threading.Lock()
        self._idle: list[SlmPair] = []
        self._opened: list[SlmPair] = []
        self._holders: list[int] = []  # the thread that took each lane in use
        self.longest_wait = 0
        """The most calls of other lanes that a call of the engine has waited for."""

    @property
    def busy(self) -> int:
        """How many lanes are in use."""
        with self._lock:
            return len(self._holders)

    @property
    def waiting(self) -> int:
        """How many answers wait for a lane."""
        return self._free.waiting

    @contextmanager
    def lane(self, prompt: Sequence[int], stop: Stop, priority: int = 0) -> Iterator[SlmPair]:
        """Hold a lane within the block.

        Args:
            prompt: the private prompt; the lane that shares most with it is taken.
            stop: ends the wait, and engine calls under way.
            priority: a larger one goes before smaller ones that wait.

        Raises:
            StoppedError: ``stop`` was set.
            UsageError: this thread would wait for answers of its own.
        """
        holder = threading.get_ident()
        self._refuse_deadlock(holder)
        self._free.acquire(stop, priority)
        try:
            pair = self._take(prompt, holder)
            pair.turn = partial(self._turn, stop)
            try:
                yield pair
            finally:
                self._give_back(pair, holder)
        finally:
            self._free.release()

    def close(self) -> None:
        """Free all sequences; no answer may be under way."""
        with self._engine.permit(), self._lock:
            while self._opened:
                self._opened.pop().close()
            self._idle.clear()

    def _refuse_deadlock(self, holder: int) -> None:
        with self._lock:
            if self._holders.count(holder) == self.count:
                raise UsageError(
                    "All lanes are held by unfinished answers of this thread, so another one would "
                    "wait forever.",
                    "Finish or close one of them, or open Costeer with more lanes.",
                )

    def _take(self, prompt: Sequence[int], holder: int) -> SlmPair:
        with self._engine.permit(), self._lock:
            shared = [common_length(pair.private_ids, prompt) for pair in self._idle]
            best = max(shared, default=0)
            if len(self._opened) < self.count and 2 * best < max(len(prompt), 1):
                pair = SlmPair(self._model)
                self._opened.append(pair)
            else:
                pair = self._idle.pop(shared.index(best))  # of equals, the longest unused
            self._holders.append(holder)
            return pair

    def _give_back(self, pair: SlmPair, holder: int) -> None:
        with self._lock:
            self._holders.remove(holder)
            self._idle.append(pair)

    @contextmanager
    def _turn(self, stop: Stop) -> Iterator[None]:
        """One call of the engine, which ends early where the answer is stopped."""
        with self._engine.permit(stop) as others, stop.calling(self._interrupt):
            self.longest_wait = max(self.longest_wait, others)
            stop.check()
            try:
                yield
            except InterruptedModelError:
                stop.check()
                raise

    def _interrupt(self) -> None:
        if isinstance(self._model, Interruptible):
            self._model.interrupt()
