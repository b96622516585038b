"""One thread owns the model, and requests share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from costeer.cloud.in_process import InProcess
from costeer.cloud.server.jobs import ClosedError, Job, QueueFullError
from costeer.cloud.server.scheduler import Scheduler
from costeer.exceptions import InterruptedModelError, NotFiniteError
from costeer.models.fake import FakeModel
from tests.support.serving import PROMPT, CountingModel, EndlessModel, FailingModel, same, until
from tests.support.unrepeatable import UnrepeatableModel


@pytest.fixture
def schedule() -> Iterator[Callable[..., Any]]:
    """Start schedulers; they are closed at the end."""
    started = []

    def start(model: Any, **options: Any) -> Scheduler:
        started.append(Scheduler(model, **options))
        started[-1].start()
        return started[-1]

    yield start
    for scheduler in started:
        scheduler.close()


class Reading:
    """A job whose steps are collected from this thread."""

    def __init__(
        self,
        scheduler: Scheduler,
        prompt: list[int],
        max_tokens: int = 5,
        stop_ids: frozenset[Any] = frozenset(),
    ) -> None:
        self.scheduler = scheduler
        self.steps = []
        self.ready = threading.Event()
        self.job = Job(tuple(prompt), 8, max_tokens, stop_ids, self.ready.set)
        scheduler.submit(self.job)

    def finish(self) -> str:
        while True:
            self.ready.clear()
            steps, reason = self.scheduler.take(self.job)
            self.steps += steps
            if self.job.error:
                raise self.job.error
            if reason:
                return reason
            assert self.ready.wait(5)


def test_one_client_gets_the_rows_of_inprocess_by_plain_calls(schedule: Callable[..., Any]) -> None:
    model = CountingModel()
    reading = Reading(schedule(model), PROMPT, 12)
    assert reading.finish() == "length"
    assert same(reading.steps, list(InProcess(FakeModel()).stream(PROMPT, 8, 12)))
    assert set(model.widths) == {1}


def test_the_end_of_text_is_the_last_step(schedule: Callable[..., Any]) -> None:
    steps = list(InProcess(FakeModel()).stream(PROMPT, 8, 9))
    reading = Reading(schedule(FakeModel()), PROMPT, 50, frozenset({steps[4].token}))
    assert reading.finish() == "stop"
    first = next(i for i, step in enumerate(steps) if step.token == steps[4].token)
    assert same(reading.steps, steps[: first + 1])


@pytest.mark.slow
def test_several_at_once_step_together_and_get_the_same_as_alone(
    schedule: Callable[..., Any],
) -> None:
    model = EndlessModel(pause=0.002, max_sequences=3)
    scheduler = schedule(model)
    prompts = [[*PROMPT, i] for i in range(7)]  # more than there are slots
    readings = [Reading(scheduler, prompt, 15) for prompt in prompts]
    for prompt, reading in zip(prompts, readings, strict=True):
        assert reading.finish() == "length"
        assert same(reading.steps, list(InProcess(EndlessModel()).stream(prompt, 8, 15)))
    assert max(model.widths) == 3


def test_the_next_turn_evaluates_only_what_is_new(schedule: Callable[..., Any]) -> None:
    model = EndlessModel()
    scheduler = schedule(model)
    one = Reading(scheduler, PROMPT, 6)
    one.finish()
    assert until(lambda: scheduler.busy == 0)
    model.evaluated = 0
    two = Reading(scheduler, [*PROMPT, *(s.token for s in one.steps[:4]), 65], 1)
    two.finish()
    assert (two.job.cached, model.evaluated) == (len(PROMPT) + 4, 1)


def test_asking_again_computes_nothing_where_rows_are_not_repeatable_either(schedule: Any) -> None:
    model = UnrepeatableModel()
    scheduler = schedule(model)
    draft = Reading(scheduler, PROMPT, 3)
    draft.finish()
    assert until(lambda: scheduler.busy == 0)
    model.evaluated = 0
    again = Reading(scheduler, PROMPT, 1)
    again.finish()
    assert (again.job.cached, model.evaluated) == (len(PROMPT), 0)
    assert same(again.steps, draft.steps[:1])


@pytest.mark.slow
def test_a_slow_reader_is_waited_for(schedule: Callable[..., Any]) -> None:
    model = EndlessModel()
    scheduler = schedule(model, window=4)
    slow = Reading(scheduler, PROMPT, 30)
    assert until(lambda: len(slow.job.outbox) == 4)
    quick = Reading(scheduler, [1, 2, 3], 30)
    quick.finish()
    assert len(slow.job.outbox) == 4
    slow.finish()
    assert same(slow.steps, list(InProcess(EndlessModel()).stream(PROMPT, 8, 30)))


@pytest.mark.slow
def test_a_cancelled_job_frees_its_slot_within_a_token(schedule: Callable[..., Any]) -> None:
    model = EndlessModel(pause=0.01, max_sequences=1)
    scheduler = schedule(model, window=10_000)
    job = Reading(scheduler, PROMPT, 4000).job
    assert until(lambda: job.done > 2)
    scheduler.cancel(job)
    done = job.done
    assert until(lambda: scheduler.busy == 0)
    assert job.done <= done + 1
    Reading(scheduler, [1, 2], 2).finish()


def test_a_cancelled_job_leaves_the_queue(schedule: Any) -> None:
    scheduler = schedule(EndlessModel(max_sequences=1), queue=1, window=2)
    holder = Reading(scheduler, PROMPT, 99)
    assert until(lambda: scheduler.busy == 1)
    waiting = Reading(scheduler, PROMPT, 2)
    with pytest.raises(QueueFullError):
        Reading(scheduler, PROMPT, 2)
    scheduler.cancel(waiting.job)
    other = Reading(scheduler, PROMPT, 2)
    scheduler.cancel(holder.job)
    other.finish()


@pytest.mark.slow
def test_others_go_on_between_the_pieces_of_a_long_prompt(schedule: Any) -> None:
    model = EndlessModel(pause=0.02, context_length=6000, max_sequences=2)
    scheduler = schedule(model)
    long = Reading(scheduler, [i % 256 for i in range(5000)], 1)  # ten pieces
    short = Reading(scheduler, PROMPT, 3)
    short.finish()
    assert long.job.done == 0
    long.finish()


def test_a_bad_row_fails_only_its_own_job(schedule: Any) -> None:
    model = FailingModel(None, len(PROMPT) + 3, pause=0.002)
    scheduler = schedule(model)
    good, bad = Reading(scheduler, [1, 2, 3], 8), Reading(scheduler, PROMPT, 8)
    with pytest.raises(NotFiniteError):
        bad.finish()
    good.finish()


@pytest.mark.parametrize("at", [len(PROMPT), len(PROMPT) + 3])
def test_an_engine_that_raises_does_not_end_the_service(schedule: Any, at: Any) -> None:
    model = FailingModel(OSError("no memory"), at)
    scheduler = schedule(model)
    with pytest.raises(OSError, match="no memory"):
        Reading(scheduler, PROMPT, 8).finish()
    assert until(lambda: scheduler.busy == 0)
    assert model.opened == 0  # a sequence in doubt is not used again
    Reading(scheduler, [1, 2, 3], 8).finish()


def test_ends_where_the_context_is_full(schedule: Any) -> None:
    reading = Reading(schedule(EndlessModel(context_length=20)), PROMPT, 50)
    assert reading.finish() == "length"
    assert len(reading.steps) == 20 - len(PROMPT) + 1


def test_close_fails_what_is_under_way() -> None:
    model = EndlessModel(pause=0.005, max_sequences=1)
    scheduler = Scheduler(model)
    scheduler.start()
    readings = [Reading(scheduler, PROMPT, 3000) for _ in range(3)]
    time.sleep(0.03)
    scheduler.close()
    for reading in readings:
        with pytest.raises(ClosedError):
            reading.finish()
    with pytest.raises(ClosedError):
        Reading(scheduler, PROMPT, 1)
    assert model.opened == 0


class Interruptible(EndlessModel):
    """Thinks until it is interrupted, once a sequence is ``at`` ids long."""

    def __init__(self, at: Any, **options: Any) -> None:
        super().__init__(**options)
        self.at = at
        self.thinking, self.enough = threading.Event(), threading.Event()

    def interrupt(self) -> None:
        self.enough.set()

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        if any(len(sequence) + len(ids) == self.at for sequence, ids in work):
            self.thinking.set()
            assert self.enough.wait(10)
            raise InterruptedModelError("as asked")
        return super().extend_many(work, rows)


@pytest.mark.parametrize("at", [len(PROMPT), len(PROMPT) + 3])
def test_a_cancelled_jobs_engine_call_is_given_up(schedule: Any, at: Any) -> None:
    """In the prompt, and in the answer; the prefix stays."""
    model = Interruptible(at, max_sequences=1)
    scheduler = schedule(model)
    job = Reading(scheduler, PROMPT, 99).job
    assert model.thinking.wait(5)
    scheduler.cancel(job)
    assert until(lambda: scheduler.busy == 0)
    model.at, model.evaluated = 0, 0
    other = Reading(scheduler, [*PROMPT, 65], 1)
    other.finish()
    assert model.evaluated == (1 if at > len(PROMPT) else len(PROMPT) + 1)


class Strict(EndlessModel):
    """Refuses a whole call for one bad row, as real engines do."""

    bad = 0

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        if any(self.bad in ids for _, ids in work):
            raise NotFiniteError("a row is not finite")
        return super().extend_many(work, rows)

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        row[0] = -np.inf
        if ids[0] == 66 and len(ids) > 12:
            row[0] = 0.0  # chooses the token that is bad
        return row


@pytest.mark.slow
def test_a_bad_row_in_a_common_call_fails_its_own_job_only(schedule: Any) -> None:
    model = Strict(pause=0.01, max_sequences=3)
    scheduler = schedule(model)
    good = [Reading(scheduler, [*PROMPT, i], 30) for i in (1, 2)]
    bad = Reading(scheduler, [66] * 8, 30)
    with pytest.raises(NotFiniteError):
        bad.finish()
    assert len(bad.steps) > 3
    for reading in good:
        assert reading.finish() == "length"
    assert max(model.widths) == 3


class Singly(EndlessModel):
    """Says that two ids at most may go in one call without changing a row."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.exact_batch = 2


@pytest.mark.slow
@pytest.mark.parametrize(("repeatable", "most"), [(True, 2), (False, 4)])
def test_no_more_step_together_than_leaves_every_row_as_it_is(
    schedule: Any, repeatable: Any, most: Any
) -> None:
    model = Singly(pause=0.005, max_sequences=4)
    model.repeatable = repeatable
    scheduler = schedule(model)
    readings = [Reading(scheduler, [*PROMPT, i], 20) for i in range(4)]
    for reading in readings:
        assert reading.finish() == "length"
    assert max(model.widths) == most
