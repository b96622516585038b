"""A request to stop reaches whatever waits."""

from __future__ import annotations

import threading
import time

import pytest

from costeer.cloud.cancellation import Stop, either
from costeer.exceptions import StoppedError


@pytest.mark.timeout(25)
def test_a_pause_ends_at_once() -> None:
    stop = Stop()
    threading.Timer(0.05, stop.set).start()
    assert stop.wait(30)
    with pytest.raises(StoppedError):
        stop.check()


def test_actions_run_within_their_block_only() -> None:
    stop, called = Stop(), []
    with stop.calling(lambda: called.append("left")):
        pass
    with stop.calling(lambda: called.append("inside")):
        stop.set()
        assert called == ["inside"]
    with stop.calling(lambda: called.append("late")):  # entered after it was set
        assert called == ["inside", "late"]


@pytest.mark.slow
def test_no_action_is_still_running_after_its_block() -> None:
    stop, inside, left = Stop(), threading.Event(), []

    def slow() -> None:
        inside.set()
        time.sleep(0.05)
        left.append("action")

    thread = threading.Thread(target=stop.set)
    with stop.calling(slow):
        thread.start()
        assert inside.wait(5)
    left.append("block")
    thread.join()
    assert left == ["action", "block"]


def test_either_of_two() -> None:
    one, two = Stop(), Stop()
    with either(one, None) as both:
        both.check()
        one.set()
        assert both.is_set()
    with either(two, one) as both:  # one was set before
        assert both.is_set()
    with either(two, None) as both:
        pass
    two.set()
    assert not both.is_set()  # unreachable_error is told any more
