"""The large model's continuation is read in the background."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from costeer.cloud.base import CloudStep
from costeer.cloud.cancellation import Stop
from costeer.cloud.in_process import InProcess
from costeer.edge.draft import Burst, DraftStream
from costeer.exceptions import CloudProtocolError, CloudUnreachableError
from costeer.models.fake import FakeModel

EOS = 99
ROW = np.array([1, 2], np.int32), np.array([-0.1, -3], np.float32)


class Counting:
    """An LLM that counts upwards; says what it was asked, and when a stream was closed."""

    def __init__(self, *, ends: Any = 10**9, fails: Any = 10**9) -> None:
        self.asked = []
        self.written = 0
        self.closed = threading.Event()
        self.ends, self.fails = ends, fails

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Any:
        self.asked.append((len(prompt_ids), max_tokens))
        return self._steps(len(prompt_ids), max_tokens)

    def _steps(self, start: Any, max_tokens: Any) -> Iterator[Any]:
        try:
            for i in range(start, start + max_tokens):
                if i >= self.fails:
                    raise CloudUnreachableError("gone")
                if i >= self.ends:
                    return
                self.written += 1
                yield CloudStep(i, *ROW)
        finally:
            self.closed.set()


def until(condition: Any) -> Any:
    end = time.monotonic() + 5
    while not condition() and time.monotonic() < end:
        time.sleep(0.002)
    return condition()


def drained(ahead: Any, count: Any) -> Any:
    tokens = []
    for _ in range(count):
        tokens.append(ahead.wait().token)
        ahead.accept()
    return tokens


def test_steps_come_in_order_over_several_bursts() -> None:
    cloud = Counting()
    ahead = DraftStream(cloud, [0, 1, 2], 2, 100, {EOS + 1000}, Burst(size=8), Stop())
    assert drained(ahead, 100) == list(range(3, 103))
    assert ahead.wait() is None
    assert sum(n for _, n in cloud.asked) == 100
    assert [start for start, _ in cloud.asked] == [
        3 + sum(n for _, n in cloud.asked[:i]) for i in range(len(cloud.asked))
    ]


def test_a_device_that_does_not_keep_up_is_not_run_away_from() -> None:
    cloud = Counting()
    ahead = DraftStream(cloud, [0], 2, 1000, (), Burst(size=8), Stop())
    assert until(lambda: cloud.written == 8)
    time.sleep(0.05)
    assert cloud.written == 8
    drained(ahead, 8)
    assert until(lambda: cloud.written > 8)
    ahead.abandon()


def test_bursts_grow_while_the_device_keeps_up_and_shrink_when_it_does_not() -> None:
    burst = Burst(size=16, least=4, most=64)
    for lead, size in [(3, 32), (16, 64), (1, 64), (40, 32), (32, 16), (16, 8), (8, 4), (4, 4)]:
        burst.adapt(lead)
        assert burst.size == size


def test_stop_closes_the_stream_and_wakes_who_waits() -> None:
    cloud = Counting()
    ahead = DraftStream(cloud, [0], 2, 1000, (), Burst(size=8), Stop())
    assert until(lambda: cloud.written == 8)
    ahead.abandon()
    ahead.join(5)
    assert not ahead.running
    assert cloud.closed.is_set()


def test_end_of_text_is_the_last_step() -> None:
    cloud = Counting()
    ahead = DraftStream(cloud, [0], 2, 1000, {EOS}, Burst(size=200), Stop())
    assert drained(ahead, 99)[-1] == EOS
    assert ahead.wait() is None
    assert cloud.written == 99


def test_an_llm_that_stops_early() -> None:
    ahead = DraftStream(Counting(ends=5), [0], 2, 1000, (), Burst(size=8), Stop())
    assert drained(ahead, 4) == [1, 2, 3, 4]
    assert ahead.wait() is None
    nothing = DraftStream(Counting(ends=0), [0], 2, 1000, (), Burst(size=8), Stop())
    with pytest.raises(CloudProtocolError, match="without sending a token"):
        nothing.wait()


def test_what_came_before_a_failure_is_given_first() -> None:
    ahead = DraftStream(Counting(fails=4), [0], 2, 1000, (), Burst(size=8), Stop())
    assert drained(ahead, 3) == [1, 2, 3]
    with pytest.raises(CloudUnreachableError):
        ahead.wait()


def test_the_llms_own_text() -> None:
    model = FakeModel(seed=3)
    alone = [step.token for step in InProcess(model).stream([1, 2], 4, 50)]
    ahead = DraftStream(
        InProcess(model), [1, 2], 4, 50, model.tokenizer.eos_ids, Burst(size=4), Stop()
    )
    assert drained(ahead, len(alone)) == alone
