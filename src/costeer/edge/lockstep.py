"""Lockstep: Algorithm 1 of arXiv 2507.04756, one step of each model a token.

Two things are done better than printed there: the T-step loop is one multiplication
(``decoding.steering``), and the two models work at the same time, since neither needs the other's
answer for the same position. Every token costs a round trip.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future
from functools import partial
from typing import TypeVar

from costeer.cloud.base import CloudModel
from costeer.cloud.stop import Stop
from costeer.edge.draft import PARTING
from costeer.edge.prompts import Prompts
from costeer.edge.slm import DeltaSource
from costeer.edge.verify import Decider, DecodeParams, Step, ask
from costeer.exceptions import StoppedError

T = TypeVar("T")


def lockstep(
    cloud: CloudModel, local: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    """See ``decoder.generate_step``."""
    decider = Decider(cloud, prompts.public, params, stop)
    while not decider.over:
        answer, asking = _in_background(partial(ask, cloud, decider.prefix, decider.top_k, stop))
        try:
            if decider.decided:
                delta = local.delta(decider.decided[-1:])[0]
            else:
                delta = local.begin(prompts.plain, prompts.private)
            step = decider.decide(_awaited(answer, stop), delta, len(decider.decided) + 1)
        except BaseException:
            stop.set()
            asking.join(PARTING)  # so that the request is counted
            raise
        yield step


def _in_background(work: Callable[[], T]) -> tuple[Future[T], threading.Thread]:
    """Run in a daemon thread, so that an abandoned request never keeps the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001  # whoever waits for the result gets it
            if future.set_running_or_notify_cancel():
                future.set_exception(error)
        else:
            if future.set_running_or_notify_cancel():
                future.set_result(result)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return future, thread


def _awaited(future: Future[T], stop: Stop) -> T:
    """The result; StoppedError at once when stopped."""

    def cancel() -> None:
        future.cancel()

    with stop.calling(cancel):
        try:
            return future.result()
        except CancelledError:
            raise StoppedError from None
