"""Lockstep: Algorithm 1 of arXiv 2507.04756, one step of each model a token.

Two things are done better than printed there: the T-step loop is one multiplication
(``decoding.steering``), and the two models work at the same time, since neither needs the other's
answer for the same position. Every token costs a round trip.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from costeer.cloud.base import CloudModel
from costeer.edge.deciding import Decider, DecodeParams, Step, ask
from costeer.edge.local import DeltaSource
from costeer.edge.prompts import Prompts

T = TypeVar("T")


def lockstep(
    cloud: CloudModel, local: DeltaSource, prompts: Prompts, params: DecodeParams
) -> Generator[Step, None, None]:
    """See ``decoder.generate_step``."""
    decider = Decider(cloud, prompts.public, params)
    while not decider.over:
        answer = _in_background(partial(ask, cloud, decider.prefix, params.top_k))
        if decider.decided:
            delta = local.delta(decider.decided[-1:])[0]
        else:
            delta = local.begin(prompts.plain, prompts.private)
        yield decider.decide(answer.result(), delta, len(decider.decided) + 1)


def _in_background(work: Callable[[], T]) -> Future[T]:
    """Run in a daemon thread, so that an abandoned request never keeps the process alive."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # whoever waits for the result gets it
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return future
