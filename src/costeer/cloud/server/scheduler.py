"""One thread owns the model; requests share it token by token.

Terms. A *job* is one request: a prompt to continue greedily. A *slot* is one sequence of the model,
with the ids it still holds from earlier jobs. A job waits in the queue until a slot is free, then
*prefills* its prompt in pieces (other jobs decode between two pieces), then *decodes*. All decoding
jobs step together in one ``extend_many``; a single one uses ``extend``, so its rows are those of
``InProcess``. Where more ids in one call would change a row, fewer jobs step together
(``exact_batch``). A job whose reader lags by ``window`` steps is skipped until it reads. A job for
one step whose row is in the ``row_cache`` is answered at once.

Knows token ids and threads; nothing about HTTP, text or asyncio. Steps pass through the job's
outbox, under the scheduler's only lock.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from costeer.cloud.base import CloudStep
from costeer.cloud.row_cache import RowCache
from costeer.cloud.server.jobs import ClosedError, FinishReason, Job, QueueFullError
from costeer.cloud.server.slots import SlotPool
from costeer.cloud.topk import greedy_step
from costeer.exceptions import CoSteerError, InterruptedModelError, ModelError
from costeer.models.base import Interruptible, LanguageModel, LogProbs, TokenSequence
from costeer.models.prefix import CanonicalCalls

AHEAD = 1 << 20
"""The most log-probabilities computed ahead of a slow reader; 8 bytes each."""


class Scheduler:
    """Runs jobs on ``model`` in its own thread, from ``start`` to ``close``.

    Args:
        model: used by the worker thread only.
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
        self._slots = SlotPool(max(model.max_sequences, 1))
        self._rows = RowCache()
        self._canonical = CanonicalCalls(model)
        # How many jobs step together: all, where rows are not repeatable anyway.
        self._together = model.exact_batch if model.repeatable else len(self._slots)
        self._interrupt = model.interrupt if isinstance(model, Interruptible) else None
        self._computing: Job | None = None  # the only job of the engine call under way
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="costeer-model", daemon=True)

    def start(self) -> None:
        """Start the worker."""
        self._thread.start()

    def submit(self, job: Job) -> None:
        """Queue a job.

        Raises:
            QueueFullError: ``queue`` jobs are waiting.
            ClosedError: after ``close``.
        """
        with self._wake:
            if self._closed:
                raise ClosedError("The server is shutting down.")
            if self._answer_from_cache(job):
                return
            if len(self._queue) >= self._queue_limit + len(self._slots):
                raise QueueFullError("Too many requests are waiting.")
            self._queue.append(job)
            self._wake.notify_all()

    def _answer_from_cache(self, job: Job) -> bool:
        """Answer a job for one step from the row cache; return whether that was possible."""
        if job.max_tokens > 1:
            return False
        row = self._rows.get(job.prompt, self._canonical.required_calls(job.prompt))
        if row is None:
            return False
        step = greedy_step(row, job.top_k)
        job.cached, job.done = len(job.prompt), 1
        job.outbox.append(step)
        job.finish = "stop" if step.token in job.stop_ids else "length"
        job.notify()
        return True

    def take(self, job: Job) -> tuple[list[CloudStep], FinishReason | None]:
        """Return the steps computed since the last call, without waiting, and why the job ended."""
        with self._wake:
            steps = list(job.outbox)
            job.outbox.clear()
            if steps:
                self._wake.notify_all()
            return steps, job.finish

    def cancel(self, job: Job) -> None:
        """Drop a job; its slot is free after at most one engine call.

        Where the engine can, and no other job takes part, the running call is interrupted.
        """
        with self._wake:
            job.cancelled = True
            if self._interrupt is not None and self._computing is job:
                self._interrupt()
            if job in self._queue:
                self._queue.remove(job)
            self._wake.notify_all()

    def close(self) -> None:
        """Fail all jobs, stop the worker and close the sequences. May be called twice."""
        with self._wake:
            self._closed = True
            self._wake.notify_all()
        while self._thread.is_alive():
            if self._interrupt is not None:
                self._interrupt()  # repeatedly: a call that just begins clears the first one
            self._thread.join(0.05)

    @property
    def busy(self) -> int:
        """How many jobs hold a slot."""
        with self._wake:
            return len(self._active)

    # Everything below runs in the worker thread.

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
        self._slots.close()

    def _wait(self) -> bool:
        """Admit and retire jobs until there is something to compute; return False once closed."""
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
            slot, job.slot = job.slot, None
            if slot is not None:
                self._slots.release(slot)

    def _admit(self) -> None:
        while self._queue and self._slots:
            job = self._queue.popleft()
            if not job.over:
                job.slot = self._slots.take(job.prompt)
                self._active.append(job)

    def _prefill_one(self) -> None:
        """Evaluate one piece of one prompt; jobs take turns."""
        with self._wake:
            waiting = [job for job in self._active if job.done == 0 and self._ready(job)]
            if not waiting:
                return
            job = waiting[0]
            self._active.remove(job)
            self._active.append(job)  # to the back: another job is next
        try:
            sequence = self._begin(job)
            with self._interruptible(job):
                row = sequence.extend(job.todo[0], rows=1)[-1]
            del job.todo[0]
            if not job.todo:
                self._give(job, row)
        except InterruptedModelError:
            raise
        except CoSteerError as error:  # only this job fails
            self._fail(job, error)

    def _begin(self, job: Job) -> TokenSequence:
        """Return the job's sequence; the first time, rewind it to the prefix it shares."""
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
        """Compute one step of each of ``jobs``, in one call."""
        try:
            rows = self._step(jobs)
        except InterruptedModelError:
            return  # each sequence holds what it held before the call
        except CoSteerError as error:
            if len(jobs) == 1:
                self._fail(jobs[0], error)
                return
            for job in jobs:  # find the one that fails; the others go on
                self._decode([job])
            return
        for job, row in zip(jobs, rows, strict=True):
            try:
                self._give(job, row[-1])
            except CoSteerError as error:  # NaN in this row only
                self._fail(job, error)

    def _step(self, jobs: list[Job]) -> list[LogProbs]:
        """Return the row (1, V) after the next id of each job."""
        work = [(job.slot.sequence, job.todo[0]) for job in jobs if job.slot and job.slot.sequence]
        with self._interruptible(*jobs):
            if len(work) > 1:
                return self._model.extend_many(work, rows=1)
            return [work[0][0].extend(work[0][1], rows=1)]

    @contextmanager
    def _interruptible(self, *jobs: Job) -> Iterator[None]:
        """Surround an engine call for ``jobs``, so that it can be interrupted."""
        with self._wake:
            if self._closed or all(job.cancelled for job in jobs):
                raise InterruptedModelError("The request was cancelled.")
            self._computing = jobs[0] if len(jobs) == 1 else None
        try:
            yield
        finally:
            with self._wake:
                self._computing = None

    def _give(self, job: Job, row: LogProbs) -> None:
        """Turn a row (V,) into the job's next step, and finish the job if that was the last."""
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
                job.slot.reset()
        job.notify()

    def _fail_all(self, error: Exception) -> None:
        with self._wake:
            jobs = [*self._active, *(self._queue if self._closed else ())]
        for job in jobs:
            if not job.over:
                self._fail(job, error)
        with self._wake:
            self._retire()
