"""Stopping an answer, from anywhere, ends the requests under way and sends nothing more."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

from costeer.cloud.in_process import InProcess
from costeer.edge.runtime import Costeer
from costeer.edge.verify import MODES
from costeer.models.fake import FakeModel
from tests.support.serving import (
    CountingModel,
    EndlessModel,
    Relay,
    Scripted,
    reply,
    running,
    until,
)

LONG = "x" * 3500
ROOM = {"context_length": 8192}


class SlowReader(CountingModel):
    """Reads 2,000 tokens a second."""

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        time.sleep(0.0005 * sum(len(ids) for _, ids in work))
        return super().extend_many(work, rows)


def ctrl_c(generation: Any, costeer: Any) -> None:
    os.kill(os.getpid(), signal.SIGINT)


def close_the_answer(generation: Any, costeer: Any) -> None:
    generation.close()


def close_everything(generation: Any, costeer: Any) -> None:
    costeer.close()


pytestmark = pytest.mark.usefixtures("no_collection")

WAYS = [ctrl_c, close_the_answer, close_everything]


def stopped_after(condition: Any, way: Any, costeer: Any, query: Any, **options: Any) -> Any:
    """Iterate over an answer and stop it, from another thread, once ``condition`` holds."""
    generation = costeer.stream(query, "A context.", **options)
    met = []

    def stop() -> None:
        met.append(until(condition, 20))
        way(generation, costeer)

    thread = threading.Thread(target=stop)
    thread.start()
    try:
        list(generation)
        assert way is not ctrl_c
    except KeyboardInterrupt:
        assert way is ctrl_c
    thread.join(10)
    assert met == [True]
    assert not thread.is_alive()
    assert generation.result.finish_reason == "interrupted"
    return generation.result


def started(before: Any) -> Any:
    """The threads that run now and did not then."""
    return set(threading.enumerate()) - before - {threading.current_thread()}


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_reads_a_long_prompt_gives_it_up(mode: Any, way: Any) -> None:
    model = SlowReader(max_sequences=1, **ROOM)
    with running(model) as app:
        before = set(threading.enumerate())
        with Costeer(app.url, FakeModel(seed=1, **ROOM), strength=0.3, mode=mode) as costeer:
            stopped_after(lambda: model.evaluated, way, costeer, LONG, max_tokens=20)
            assert until(lambda: app.scheduler.busy == 0, 2)
            assert model.evaluated < 2500  # of some 3,700
            assert until(lambda: not started(before), 2)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_asked_again_after_the_stop(mode: Any, way: Any) -> None:
    with Scripted(reply(503, "")) as server:
        before = set(threading.enumerate())
        with Costeer(server.url, FakeModel(seed=1), strength=0.3, mode=mode) as costeer:
            result = stopped_after(lambda: server.bodies, way, costeer, "Q?", max_tokens=20)
            recorded = costeer.ledger.totals.requests
            assert until(lambda: not started(before), 0.5)
            time.sleep(0.7)  # longer than the pause
            assert len(server.bodies) == 1
            assert costeer.ledger.totals.requests == recorded == 2  # with the list of models
            assert result.requests == 1


@pytest.mark.timeout(25)  # the client alone would wait for 30 s
@pytest.mark.parametrize("mode", MODES)
def test_a_server_that_says_nothing_is_left_at_once(mode: Any) -> None:
    class Mute(Scripted):
        def serve(self, connection: Any, number: Any) -> None:
            super().serve(connection, number)
            while connection.recv(1024):
                pass
            self.left = True

    with (
        Mute(b"") as server,
        Costeer(server.url, FakeModel(seed=1), strength=0.3, mode=mode) as costeer,
    ):
        stopped_after(lambda: server.bodies, close_the_answer, costeer, "Q?")
        assert until(lambda: server.left, 2)


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_all_that_went_up_is_recorded_when_the_answer_is_stopped(mode: Any) -> None:
    with (
        running(EndlessModel(pause=0.002)) as app,
        Relay(app.url) as relay,
        Costeer(relay.url, FakeModel(seed=1), strength=0.3, mode=mode) as costeer,
    ):
        for _ in range(3):
            generation = costeer.stream("Q?", "A context.", max_tokens=2000)
            for _ in range(20):
                next(generation)
            generation.close()
        assert until(lambda: app.scheduler.busy == 0, 2)
        # What was written when the connection was cut may not have arrived.
        assert relay.up <= costeer.ledger.totals.bytes_up < relay.up + 1000


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_model_in_this_process_is_stopped_too(mode: Any) -> None:
    model = SlowReader(max_sequences=2, **ROOM)
    before = set(threading.enumerate())
    with Costeer(InProcess(model), FakeModel(seed=1, **ROOM), strength=0.3, mode=mode) as costeer:
        stopped_after(lambda: model.evaluated, close_the_answer, costeer, LONG, max_tokens=20)
        read = model.evaluated
        assert until(lambda: not started(before), 2)
        assert model.evaluated <= read + 512 < 3000


@pytest.mark.slow
def test_a_signal_handler_may_stop_the_answer_it_interrupts() -> None:
    with Costeer(InProcess(EndlessModel()), FakeModel(seed=1), strength=0.3) as costeer:
        before = signal.signal(signal.SIGUSR1, lambda *_: costeer.stop())
        try:
            generation = costeer.stream("Q?", "A context.", max_tokens=3000)
            threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGUSR1)).start()
            list(generation)
        finally:
            signal.signal(signal.SIGUSR1, before)
        assert generation.result.finish_reason == "interrupted"
