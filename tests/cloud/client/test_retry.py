"""When a request is repeated, and when it is given up."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.cloud.cancellation import Stop
from costeer.cloud.client.retry import LONGEST_PAUSE, RetryableError, RetryPolicy, RetryState
from costeer.exceptions import CloudUnreachableError, ParameterError, StoppedError


def failure(pause: Any = 0.0, permanent: Any = False) -> Any:
    return RetryableError(CloudUnreachableError("gone"), pause, permanent=permanent)


class Noting(Stop):
    """Notes how long it was waited for, and does not wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waited = []

    def wait(self, seconds: Any) -> Any:
        self.waited.append(seconds)
        return self.is_set()


@pytest.fixture
def stopped() -> Any:
    return Noting()


def borne(state: Any, failures: Any) -> Any:
    """How many of ``failures`` are borne."""
    for count, one in enumerate(failures):
        try:
            state.failed(one)
        except CloudUnreachableError:
            return count
    return len(failures)


@pytest.mark.parametrize(
    ("retries", "some", "permanent"), [(0, 0, 0), (1, 1, 1), (2, 2, 1), (5, 5, 3), (8, 8, 4)]
)
def test_what_may_last_is_given_half_as_many_tries(
    stopped: Any, retries: Any, some: Any, permanent: Any
) -> None:
    policy = RetryPolicy(retries, 0.0)
    assert borne(RetryState(policy, stopped), [failure()] * 99) == some
    assert borne(RetryState(policy, stopped), [failure(permanent=True)] * 99) == permanent
    mixed = [failure(permanent=True), failure()] * 99
    assert borne(RetryState(policy, stopped), mixed) == min(retries, max(2 * permanent, 0))


def test_progress_forgives(stopped: Any) -> None:
    state = RetryState(RetryPolicy(2, 1.0), stopped)
    for _ in range(50):
        assert borne(state, [failure(), failure(permanent=True)]) == 2
        state.progressed()
    assert max(stopped.waited) <= 2 * 1.5  # the pauses begin anew


def test_pauses_grow_up_to_a_bound(stopped: Any) -> None:
    borne(RetryState(RetryPolicy(2000, 0.25), stopped), [failure()] * 2000)
    for at, pause in enumerate(stopped.waited):
        middle = min(0.25 * 2.0**at, LONGEST_PAUSE) if at < 50 else LONGEST_PAUSE
        assert 0.5 * middle <= pause <= 1.5 * middle


def test_a_server_may_ask_for_a_longer_pause_but_not_for_a_shorter_one(stopped: Any) -> None:
    borne(RetryState(RetryPolicy(2, 1.0), stopped), [failure(pause=7.0), failure(pause=0.001)])
    assert stopped.waited[0] == 7.0
    assert stopped.waited[1] >= 1.0


def test_nobody_waits_for_an_answer_that_nobody_wants(stopped: Any) -> None:
    stopped.set()
    with pytest.raises(StoppedError):
        RetryState(RetryPolicy(9, 1.0), stopped).failed(failure())


@pytest.mark.parametrize("bad", [(-1, 0.0), (1, -0.5), (1, float("nan"))])
def test_out_of_range(bad: Any) -> None:
    with pytest.raises(ParameterError, match="less than 0"):
        RetryPolicy(*bad)
