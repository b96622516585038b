"""When to ask a server again, and when to give up. Knows nothing of HTTP and of answers.

Failures are counted in a row: progress forgives them. Between two tries there is a pause, doubled
from one to the next up to ``LONGEST_PAUSE``, or longer where the server asks for it. A failure that
may well last (an error of the server's own, an answer that is none, a server never met) is given
half as many tries, so that what cannot work is told soon.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

from costeer.cloud.stop import Stop
from costeer.exceptions import CloudError, ParameterError

LONGEST_PAUSE = 8.0  # seconds


class AgainError(Exception):
    """Worth another try.

    Attributes:
        final: what to raise when there is no try left.
        pause: seconds that the server wants to be left alone.
        lasting: whether it may well be like this for good.
    """

    def __init__(self, final: CloudError, pause: float = 0.0, *, lasting: bool = False) -> None:
        super().__init__()
        self.final = final
        self.pause = pause
        self.lasting = lasting


@dataclass(frozen=True, slots=True)
class Patience:
    """What is borne.

    Attributes:
        retries: failures in a row after which one more try is made.
        backoff: seconds before the first repetition.
    """

    retries: int
    backoff: float

    def __post_init__(self) -> None:
        if self.retries < 0 or not self.backoff >= 0:
            raise ParameterError("Neither retries nor the backoff can be less than 0.")

    def pause(self, failures: int) -> float:
        """Seconds after so many failures in a row; random, so that clients do not march in step."""
        pause = min(self.backoff * 2.0 ** min(failures - 1, 32), LONGEST_PAUSE)
        return pause * random.uniform(0.5, 1.5)  # noqa: S311


class Tries:
    """The failures in a row of one request.

    Args:
        patience: how many are borne.
        stop: ends a pause at once.
    """

    def __init__(self, patience: Patience, stop: Stop) -> None:
        self._patience = patience
        self._stop = stop
        self._failures = 0
        self._lasting = 0

    def progressed(self) -> None:
        """Something came: earlier failures are forgiven."""
        self._failures = self._lasting = 0

    def failed(self, failure: AgainError) -> None:
        """Return after a pause if another try makes sense; raise ``failure.final`` otherwise.

        Raises:
            StoppedError: nobody wants the answer any more.
        """
        self._stop.check()
        retries = self._patience.retries
        self._failures += 1
        self._lasting += failure.lasting
        if self._failures > retries or self._lasting > (retries + 1) // 2:
            raise failure.final from None
        self._stop.wait(max(self._patience.pause(self._failures), failure.pause))
        self._stop.check()
