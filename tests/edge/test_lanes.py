"""Several answers at once: the same texts, a turn each, and conversations that find their cache."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from costeer import Costeer
from costeer.cloud.cancellation import Stop
from costeer.cloud.in_process import InProcess
from costeer.edge.lanes import Lanes
from costeer.edge.verify import MODES
from costeer.exceptions import StoppedError
from costeer.models.fake import FakeModel
from costeer.models.prefix import CHUNK
from tests.support.serving import running, until


class Recording(FakeModel):
    """Notes which sequences each call extended, and how many ids it read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.log = []

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        self.log.append((id(work[0][0]), [len(ids) for _, ids in work]))
        return super().extend_many(work, rows)


def ask(costeer: Any, number: Any, **options: Any) -> Any:
    context = f"I am number {number}.\n\nI like {number} cats." if number % 3 else ""
    return costeer.generate(f"Question {number}?", context, seed=number, **options)


@pytest.mark.slow
@settings(max_examples=5, deadline=None)
@given(
    lanes=st.integers(1, 3),
    mode=st.sampled_from(MODES),
    temperature=st.sampled_from([0.0, 0.8]),
    strength=st.sampled_from(["auto", 0.5]),
)
def test_eight_at_once_write_what_they_write_one_after_another(
    lanes: Any, mode: Any, temperature: Any, strength: Any
) -> None:
    options = {"max_tokens": 8, "temperature": temperature, "strength": strength}
    cloud = InProcess(FakeModel(seed=1, max_sequences=2))
    with Costeer(cloud, FakeModel(seed=2), lanes=lanes, mode=mode) as costeer:
        alone = [ask(costeer, number, **options) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            together = list(pool.map(lambda number: ask(costeer, number, **options), range(8)))
        assert costeer.lanes.busy == costeer.lanes.waiting == 0
    assert [one.token_ids for one in together] == [one.token_ids for one in alone]
    assert [one.text for one in together] == [one.text for one in alone]


@pytest.mark.slow
def test_eight_at_once_over_a_socket_write_what_they_write_one_after_another() -> None:
    with running(FakeModel(seed=1)) as app, Costeer(app.url, FakeModel(seed=2)) as costeer:
        alone = [ask(costeer, number, max_tokens=15, strength=0.5) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            together = list(
                pool.map(lambda n: ask(costeer, n, max_tokens=15, strength=0.5), range(8))
            )
    assert [one.token_ids for one in together] == [one.token_ids for one in alone]


def test_every_token_and_every_piece_of_a_prompt_is_a_turn_of_its_own() -> None:
    slm, turns = Recording(), []
    with Lanes(slm, 2).lane([1], Stop()) as pair:
        turn = pair.turn

        @contextmanager
        def counted() -> Iterator[Any]:
            calls = len(slm.log)
            with turn():
                yield
            turns.append(len(slm.log) - calls)

        pair.turn = counted
        pair.prefill([9] * 1000, [8] * 1000)
        pieces = len(slm.log)
        pair.extend(5)
    assert max(turns) == 1  # call of the engine in a turn: who waits, waits for one
    assert pieces == 16
    assert max(max(sizes) for _, sizes in slm.log) == CHUNK


def test_a_conversation_finds_its_lane() -> None:
    slm = Recording()
    lanes = Lanes(slm, 2)
    prompts = {name: [ord(name)] * 300 for name in "ab"}
    for name in "ab":
        with lanes.lane(prompts[name], Stop()) as pair:
            pair.prefill([1], prompts[name])
    slm.log.clear()
    for name in "abba":
        with lanes.lane([*prompts[name], 5], Stop()) as pair:
            pair.prefill([1], [*prompts[name], 5])
            assert pair.private_ids[0] == ord(name)
    assert sum(sum(sizes) for _, sizes in slm.log) < 400  # not 1,200: the prefix was there


def test_the_page_goes_before_applications() -> None:
    lanes, served = Lanes(FakeModel(), 1), []

    def answer(name: Any, priority: Any) -> None:
        with lanes.lane([1], Stop(), priority):
            served.append(name)

    with lanes.lane([1], Stop()):
        threads = []
        for name, priority in [("app", 0), ("app 2", 0), ("page", 1)]:
            threads.append(threading.Thread(target=answer, args=(name, priority)))
            threads[-1].start()
            assert until(lambda: lanes.waiting == len(threads))
    for thread in threads:
        thread.join(5)
    assert served == ["page", "app", "app 2"]


def test_a_stopped_answer_leaves_the_queue_and_another_ends_its_lane() -> None:
    with Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), lanes=1) as costeer:
        first = costeer.stream("Q?", "A context.", max_tokens=200)
        next(first)
        waiting = costeer.stream("Another?", "A context.")
        done = []
        thread = threading.Thread(target=lambda: done.append(list(waiting)))
        thread.start()
        assert until(lambda: costeer.lanes.waiting == 1)
        waiting.close()
        thread.join(5)
        assert done == [[]]
        assert waiting.result.finish_reason == "interrupted"
        first.close()
        assert costeer.lanes.busy == costeer.lanes.waiting == 0


def test_stopping_one_answer_does_not_interrupt_the_call_of_another() -> None:
    class Interrupted(Recording):
        interrupts = 0

        def interrupt(self) -> None:
            self.interrupts += 1

    slm = Interrupted()
    lanes, stop = Lanes(slm, 2), Stop()
    with lanes.lane([1], Stop()) as one, lanes.lane([2], stop) as other:
        stop.set()
        assert slm.interrupts == 0
        one.prefill([1], [2])
        with pytest.raises(StoppedError):
            other.prefill([1], [2])
    assert slm.interrupts == 0 or not slm.log[2:]


def test_a_model_with_few_sequences_has_fewer_lanes() -> None:
    assert Lanes(FakeModel(max_sequences=2), 5).count == 1
    assert Lanes(FakeModel(max_sequences=7), 5).count == 3
