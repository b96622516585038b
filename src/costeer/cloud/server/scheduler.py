"""One thread owns the model; requests share it token by token.

Terms. A *job* is one request: a prompt to continue greedily. A *slot* is one sequence of the model,
with the ids it still holds from earlier jobs. A job waits in the queue until a slot is free, then
*prefills* its prompt in pieces (others decode between two pieces), then *decodes*: all decoding
jobs step together in one ``extend_many``; one alone takes a plain ``extend``, so that its rows are
those of ``InProcess``. Where more ids in one call would change a row, fewer step together
(``exact_batch``). A job whose reader lags by ``window`` steps is passed over until it reads.
A job for one step whose row was computed moments ago (``row_cache``) is answered at once.

Knows token ids and threads; nothing of HTTP, text or asyncio. Steps are handed over through the
job's outbox, under the scheduler's one lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from costeer.cloud.base import CloudStep
from costeer.cloud.row_cache import RowCache
from costeer.cloud.server.jobs import FinishReason, Job, Slot, choose_slot
from costeer.cloud.topk import greedy_step
from costeer.exceptions import CoSteerError, InterruptedModelError, ModelError
from costeer.models.base import Interruptible, LanguageModel, LogProbs, Sequence
from costeer.models.prefix import Canonical

AHEAD = 1 << 20
"""Log-probabilities computed ahead of a slow reader; 8 bytes each."""


class QueueFullError(CoSteerError):
    """Too many requests wait already."""


class ClosedError(CoSteerError):
    """The server is shutting down."""


class Scheduler:
    """Runs jobs on ``model`` in its own thread, from ``start`` to ``close``.

    Args:
        model: used by this thread only from now on.
        queue: how many jobs may wait for a slot.
        window: how many steps a job may be ahead of its reader.
    """

    def __init__(self, model: LanguageModel, *, queue: int = 32, window: int = 32) -> None:
        self._model = model
        self._queue_limit = queue
        self._window = window
        self._wake = threading.Condition()
        self._queue: deque[Job] = deque()
        self._active: deque[Job] = deque()
        self._free = [Slot() for _ in range(max(model.max_sequences, 1))]
        self._rows = RowCache()
        self._canonical = Canonical(model)
        # Jobs that step together: all, where no promise is lost by it.
        self._together = model.exact_batch if model.repeatable else len(self._free)
        self._interrupt = model.interrupt if isinstance(model, Interruptible) else None
        self._computing: Job | None = None  # the only job of the engine call under way
        self._clock = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="costeer-model", daemon=True)

    def start(self) -> None:
        """Start the worker."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job.

        Raises:
            QueueFullError: ``queue`` jobs wait already.
            ClosedError: after ``close``.
        """
        with self._wake:
            if self._closed:
                raise ClosedError("The server is shutting down.")
            if self._recalled(job):
                return
            if len(self._queue) >= self._queue_limit + len(self._free):
                raise QueueFullError("Too many requests are waiting.")
            self._queue.append(job)
            self._wake.notify_all()

    def _recalled(self, job: Job) -> bool:
        """Answer a job for one step from memory, if its row is there."""
        if job.max_tokens > 1:
            return False
        row = self._rows.get(job.prompt, self._canonical.calls(job.prompt))
        if row is None:
            return False
        step = greedy_step(row, job.top_k)
        job.cached, job.done = len(job.prompt), 1
        job.outbox.append(step)
        job.finish = "stop" if step.token in job.stop_ids else "length"
        job.notify()
        return True

    def take(self, job: Job) -> tuple[list[CloudStep], FinishReason | None]:
        """The steps computed since the last call, without waiting; a reason with the last."""
        with self._wake:
            steps = list(job.outbox)
            job.outbox.clear()
            if steps:
                self._wake.notify_all()
            return steps, job.finish

    def cancel(self, job: Job) -> None:
        """Nobody reads this job any more: its slot is free after at most one engine call.

        Where the engine can, and nobody else's work goes along, the call is given up.
        """
        with self._wake:
            job.cancelled = True
            if self._interrupt is not None and self._computing is job:
                self._interrupt()
            if job in self._queue:
                self._queue.remove(job)
            self._wake.notify_all()

    def close(self) -> None:
        """Fail what is under way, stop the worker, close the sequences. Twice is fine."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        while self._thread.is_alive():
            if self._interrupt is not None:
                self._interrupt()  # again and again: a call that just begins forgets the first
            self._thread.join(0.05)

    @property
    def busy(self) -> int:
        """Jobs that hold a slot."""
        with self._wake:
            return len(self._active)

    # From here on: the worker thread.

    def _run(self) -> None:
        while self._wait():
            try:
                self._prefill_one()
                self._decode_all()
            except InterruptedModelError:
                pass  # the job's slot holds what it held before the call
            except Exception as error:  # noqa: BLE001 - whatever an engine raises, serve the next
                self._fail_all(error)
        self._fail_all(ClosedError("The server is shutting down."))
        for slot in self._free:
            self._reset(slot)

    def _wait(self) -> bool:
        """Admit and retire until there is something to compute; False once closed."""
        with self._wake:
            while not self._closed:
                self._retire()
                self._admit()
                if any(self._ready(job) for job in self._active):
                    return True
                self._wake.wait()
        return False

    def _ready(self, job: Job) -> bool:
        return not job.over and len(job.outbox) < min(self._window, 1 + AHEAD // job.top_k)

    def _retire(self) -> None:
        for job in [job for job in self._active if job.over]:
            self._active.remove(job)
            self._release(job)

    def _release(self, job: Job) -> None:
        slot, job.slot = job.slot, None
        if slot is not None:
            slot.ids = slot.sequence.ids if slot.sequence is not None else ()
            self._free.append(slot)

    def _admit(self) -> None:
        while self._queue and self._free:
            job = self._queue.popleft()
            if job.over:
                continue
            self._clock += 1
            job.slot = choose_slot(self._free, job.prompt)
            job.slot.used = self._clock
            self._free.remove(job.slot)
            self._active.append(job)

    def _prefill_one(self) -> None:
        """One piece of one prompt, in turn."""
        with self._wake:
            waiting = [job for job in self._active if job.done == 0 and self._ready(job)]
            if not waiting:
                return
            job = waiting[0]
            self._active.remove(job)
            self._active.append(job)  # to the back: the next piece is another's
        try:
            sequence = self._begin(job)
            with self._calling(job):
                row = sequence.extend(job.todo[0], rows=1)[-1]
            del job.todo[0]
            if not job.todo:
                self._give(job, row)
        except InterruptedModelError:
            raise
        except CoSteerError as error:  # this job's own fault or loss; the others go on
            self._fail(job, error)

    def _begin(self, job: Job) -> Sequence:
        """The job's sequence; on the first call, rewound to what the prompt shares with it."""
        if job.slot is None:
            raise ModelError("The request holds no slot.")
        if job.slot.sequence is None:
            job.slot.sequence = self._model.sequence()
        if not job.todo:
            job.todo = self._canonical.rewind(job.slot.sequence, job.prompt)
            job.cached = len(job.slot.sequence)
        return job.slot.sequence

    def _decode_all(self) -> None:
        with self._wake:
            jobs = [job for job in self._active if job.done and self._ready(job)]
        for start in range(0, len(jobs), self._together):
            self._decode(jobs[start : start + self._together])

    def _decode(self, jobs: list[Job]) -> None:
        """One step of each of ``jobs``, in one call."""
        try:
            rows = self._step(jobs)
        except InterruptedModelError:
            return  # each sequence holds what it held before the call
        except CoSteerError as error:
            if len(jobs) == 1:
                self._fail(jobs[0], error)
                return
            for job in jobs:  # one of them is at fault: the others go on
                self._decode([job])
            return
        for job, row in zip(jobs, rows, strict=True):
            try:
                self._give(job, row[-1])
            except CoSteerError as error:  # NaN in this row only
                self._fail(job, error)

    def _step(self, jobs: list[Job]) -> list[LogProbs]:
        """The row after the next id of each job, (1, V)."""
        work = [(job.slot.sequence, job.todo[0]) for job in jobs if job.slot and job.slot.sequence]
        with self._calling(*jobs):
            if len(work) > 1:
                return self._model.extend_many(work, rows=1)
            return [work[0][0].extend(work[0][1], rows=1)]

    @contextmanager
    def _calling(self, *jobs: Job) -> Iterator[None]:
        """Around an engine call for ``jobs``."""
        with self._wake:
            if self._closed or all(job.cancelled for job in jobs):  # meanwhile
                raise InterruptedModelError("Nobody reads this any more.")
            self._computing = jobs[0] if len(jobs) == 1 else None
        try:
            yield
        finally:
            with self._wake:
                self._computing = None

    def _give(self, job: Job, row: LogProbs) -> None:
        """Turn a row (V,) into the job's next step, and see whether it was the last."""
        step = greedy_step(row, job.top_k)
        full = len(job.prompt) + job.done + 1 > self._model.context_length
        with self._wake:
            if job.slot is not None and job.slot.sequence is not None:
                self._rows.put(job.slot.sequence.ids, job.slot.sequence.calls, row)
            job.done += 1
            job.todo = [(step.token,)]
            job.outbox.append(step)
            if step.token in job.stop_ids:
                job.finish = "stop"
            elif job.done >= job.max_tokens or full:
                job.finish = "length"
        job.notify()

    def _fail(self, job: Job, error: Exception) -> None:
        with self._wake:
            job.error = error
            if job.slot is not None:  # what its sequence holds is uncertain
                self._reset(job.slot)
        job.notify()

    def _fail_all(self, error: Exception) -> None:
        with self._wake:
            jobs = [*self._active, *(self._queue if self._closed else ())]
        for job in jobs:
            if not job.over:
                self._fail(job, error)
        with self._wake:
            self._retire()

    def _reset(self, slot: Slot) -> None:
        sequence, slot.sequence = slot.sequence, None
        slot.ids = ()
        if sequence is not None:
            sequence.close()
