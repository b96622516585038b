"""When to retry a request and when to give up. Knows nothing about HTTP.

Consecutive failures are counted; progress resets the count. Pauses between retries double up to
``LONGEST_PAUSE``, or are longer where the server asks for it. Failures that look permanent (an
internal server error, an unparseable response, a server we have never reached) get half the
retries, so the user hears about them quickly.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from costeer.cloud.cancellation import Stop
from costeer.exceptions import CloudError, ParameterError

LONGEST_PAUSE = 8.0  # seconds


class RetryableError(Exception):
    """A failure worth another try.

    Attributes:
        final: what to raise when there are no retries left.
        pause: seconds the server asked us to wait.
        permanent: retrying is unlikely to help.
    """

    def __init__(self, final: CloudError, pause: float = 0.0, *, permanent: bool = False) -> None:
        super().__init__()
        self.final = final
        self.pause = pause
        self.permanent = permanent


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often to retry.

    Attributes:
        retries: consecutive failures that are followed by another try.
        backoff: seconds before the first retry.
    """

    retries: int
    backoff: float

    def __post_init__(self) -> None:
        if self.retries < 0 or not self.backoff >= 0:
            raise ParameterError("Neither retries nor the backoff can be less than 0.")

    def pause(self, failures: int) -> float:
        """Return the seconds to wait; random, so that clients do not retry in step."""
        pause = min(self.backoff * 2.0 ** min(failures - 1, 32), LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.5)  # noqa: S311


class RetryState:
    """The consecutive failures of one request.

    Args:
        policy: how often to retry.
        stop: ends a pause at once.
    """

    def __init__(self, policy: RetryPolicy, stop: Stop) -> None:
        self._policy = policy
        self._stop = stop
        self._failures = 0
        self._permanent = 0

    def progressed(self) -> None:
        """Reset the count: the request made progress."""
        self._failures = self._permanent = 0

    def failed(self, failure: RetryableError) -> None:
        """Wait before the next try, or raise ``failure.final`` if there is none left.

        Raises:
            StoppedError: the answer was stopped.
        """
        self._stop.check()
        retries = self._policy.retries
        self._failures += 1
        self._permanent += failure.permanent
        if self._failures > retries or self._permanent > (retries + 1) // 2:
            raise failure.final from None
        self._stop.wait(max(self._policy.pause(self._failures), failure.pause))
        self._stop.check()
