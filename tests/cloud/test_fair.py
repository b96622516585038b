from __future__ import annotations

import threading
from functools import partial
from typing import Any

import pytest

from costeer.cloud.cancellation import Stop
from costeer.cloud.fair import FairSemaphore
from costeer.exceptions import StoppedError
from tests.support.serving import until


def wait_in_line(semaphore: Any, served: Any, names: Any) -> Any:
    """Threads that wait, one behind the other; each notes its name once it is served."""
    threads = []
    for name, priority in names:

        def work(name: Any = name, priority: Any = priority) -> None:
            with semaphore.permit(priority=priority):
                served.append(name)

        thread = threading.Thread(target=work)
        thread.start()
        threads.append(thread)
        assert until(lambda: semaphore.waiting == len(threads))
    return threads


def test_waiters_are_served_by_priority_and_then_in_order_of_arrival() -> None:
    semaphore, served = FairSemaphore(1), []
    with semaphore.permit():
        names = [("a", 0), ("b", 0), ("page", 1), ("c", 0), ("page 2", 1)]
        threads = wait_in_line(semaphore, served, names)
    for thread in threads:
        thread.join(5)
    assert served == ["page", "page 2", "a", "b", "c"]
    assert semaphore.waiting == 0


def test_who_releases_and_asks_again_comes_after_those_who_wait() -> None:
    semaphore, served = FairSemaphore(1), []
    semaphore.acquire()
    (thread,) = wait_in_line(semaphore, served, [("other", 0)])
    semaphore.release()
    with semaphore.permit():
        served.append("again")
    thread.join(5)
    assert served == ["other", "again"]


def test_a_stop_ends_the_wait_and_takes_no_permit() -> None:
    semaphore, stop, caught = FairSemaphore(1), Stop(), []

    def work() -> None:
        try:
            semaphore.acquire(stop)
        except StoppedError as error:
            caught.append(error)

    with semaphore.permit():
        thread = threading.Thread(target=work)
        thread.start()
        assert until(lambda: semaphore.waiting == 1)
        stop.set()
        thread.join(5)
        assert len(caught) == 1
        assert semaphore.waiting == 0
    with semaphore.permit():
        pass


def test_what_is_stopped_already_does_not_wait() -> None:
    semaphore, stop = FairSemaphore(1), Stop()
    stop.set()
    with semaphore.permit(), pytest.raises(StoppedError):
        semaphore.acquire(stop)


def test_who_gets_a_permit_learns_how_many_others_it_waited_for() -> None:
    semaphore = FairSemaphore(1)
    waited: list[int] = []

    def waiting(wanted: int) -> bool:
        return semaphore.waiting == wanted

    def work() -> None:
        with semaphore.permit() as others:
            waited.append(others)

    assert semaphore.acquire() == 0
    threads = []
    for number in range(3):
        threads.append(threading.Thread(target=work))
        threads[-1].start()
        assert until(partial(waiting, number + 1))
    semaphore.release()
    for thread in threads:
        thread.join(5)
    assert waited == [1, 2, 3]


def test_as_many_hold_it_as_there_are_permits() -> None:
    semaphore = FairSemaphore(2)
    with semaphore.permit(), semaphore.permit():
        served = []
        (thread,) = wait_in_line(semaphore, served, [("third", 0)])
        assert served == []
    thread.join(5)
    assert served == ["third"]
