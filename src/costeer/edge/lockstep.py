"""Lockstep: Algorithm 1 of arXiv 2507.04756, one step of each model per token.

Two deviations from the paper: the T-step loop is one multiplication (``decoding.steering``), and
both models work at the same time, because neither needs the other's answer for the same position.
Every token costs a round trip.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TypeVar

from costeer.cloud.base import CloudModel
from costeer.cloud.cancellation import Stop
from costeer.edge.draft import CLOSING_SECONDS
from costeer.edge.prompts import Prompts
from costeer.edge.slm import DeltaSource, next_delta
from costeer.edge.verify import DecodeParams, Step, Verifier, ask
from costeer.exceptions import StoppedError

T = TypeVar("T")


def lockstep(
    cloud: CloudModel, slm: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    """Decode one answer; see ``decode.generate_step``."""
    verifier = Verifier(cloud, prompts.public, params, stop)
    while not verifier.done:
        drafted, asking = _in_background(partial(ask, cloud, verifier.prefix, verifier.top_k, stop))
        try:
            delta = next_delta(slm, prompts, verifier.decided)
            step = verifier.verify(_wait(drafted, stop), delta, len(verifier.decided) + 1)
        except BaseException:
            stop.set()
            asking.join(CLOSING_SECONDS)  # so that the request is counted
            raise
        yield step


def _in_background(work: Callable[[], T]) -> tuple[Future[T], threading.Thread]:
    """Run in a daemon thread, so that an abandoned request never keeps the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # raised again by ``_wait``
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return future, thread


def _wait(future: Future[T], stop: Stop) -> T:
    """Return the result, or raise StoppedError as soon as the answer is stopped."""

    def cancel() -> None:
        future.cancel()

    with stop.calling(cancel):
        try:
            return future.result()
        except CancelledError:
            raise StoppedError from None
