"""Run-ahead: the LLM writes on by itself, and the device checks behind it.

Most steered tokens are the LLM's own (some 93 % at strength 0.476), so it is only told where they
differ. The steps arrive in the background (``draft``); the small model reads as many of their
tokens in one call as pays (``batch_size``); each step is decided with the delta of its own
position, exactly as in lockstep; at the first that differs the small model forgets what came after,
and the LLM is asked again from the corrected prefix, while the small model reads the correction. A
round trip is paid for a difference, not for a token.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator
from itertools import takewhile

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.stop import Stop
from costeer.edge.batch_size import LONGEST, Pace
from costeer.edge.draft import PARTING, Ahead, Burst
from costeer.edge.prompts import Prompts
from costeer.edge.slm import DeltaSource
from costeer.edge.verify import Array, Decider, DecodeParams, Step


def run_ahead(
    cloud: CloudModel,
    local: DeltaSource,
    prompts: Prompts,
    params: DecodeParams,
    pace: Pace,
    stop: Stop,
) -> Generator[Step, None, None]:
    """See ``decoder.generate_step``."""
    decider = Decider(cloud, prompts.public, params, stop)
    ahead = _Continued(cloud, params, decider, stop)
    behind = _Behind(local, pace, local.exact_steps if params.exact else LONGEST)
    try:
        behind.begin(prompts)
        while not decider.over:
            if not behind.deltas:
                behind.read([*decider.decided[behind.held :], *ahead.tokens()], decider.left)
            answer, delta = ahead.wait(), behind.deltas.popleft()
            step = decider.decide(answer, delta, ahead.received, ahead.make_room)
            pace.saw(agreed=not step.interrupted)
            if (step.interrupted or ahead.left) and not decider.over:
                ahead.turn()
                behind.forget(step.position)
            else:
                ahead.agreed()
            yield step
        ahead.leave()
    finally:
        ahead.end()


class _Continued:
    """The LLM's steps for the undecided positions, across corrections."""

    def __init__(
        self, cloud: CloudModel, params: DecodeParams, decider: Decider, stop: Stop
    ) -> None:
        self._cloud = cloud
        self._stop = stop
        self._params = params
        self._decider = decider
        self._burst = Burst()
        self._earlier = 0  # steps received from streams before the present one
        self._queues = cloud.info().queues
        self.left = False  # the present stream was given up, though nothing differs
        self._all: list[Ahead] = []
        self._ahead = self._open()

    @property
    def received(self) -> int:
        """Steps that came so far."""
        return self._earlier + self._ahead.received

    def wait(self) -> CloudStep:
        """The step for the next position."""
        step = self._ahead.wait()
        while step is None:  # it ended too early: full, or by a limit of the server's own
            self.turn()
            step = self._ahead.wait()
        return step

    def tokens(self) -> list[int]:
        """What the LLM has written beyond the decided tokens, up to an end of text."""
        tokens = self._ahead.tokens()
        return tokens[:-1] if tokens and tokens[-1] in self._params.eos_ids else tokens

    def agreed(self) -> None:
        """The decision is what the LLM wrote."""
        self._ahead.agreed()

    def make_room(self) -> None:
        """Let another request through, where that would wait for the stream to end."""
        if self._queues:
            self.left = True
            self._ahead.leave()
            self._ahead.join(PARTING)

    def turn(self) -> None:
        """Go on from the decided tokens instead."""
        self.left = False
        old, self._ahead = self._ahead, self._open()
        self._earlier += old.received
        old.leave()

    def leave(self) -> None:
        """The answer is complete: give the streams a moment to end properly."""
        self._ahead.leave()
        self._join()

    def end(self) -> None:
        """Cut the streams that are still open, and see to it that they are counted."""
        self._stop.set()
        self._join()

    def _join(self) -> None:
        end = time.monotonic() + PARTING
        for ahead in self._all:
            ahead.join(end - time.monotonic())

    def _open(self) -> Ahead:
        ahead = Ahead(
            self._cloud,
            self._decider.prefix,
            self._decider.top_k,
            self._decider.left,
            self._params.eos_ids,
            self._burst,
            self._stop,
        )
        self._all = [other for other in self._all if other.running] + [ahead]
        return ahead


class _Behind:
    """The small model's deltas for the next positions; ``most`` of them in one call."""

    def __init__(self, local: DeltaSource, pace: Pace, most: int) -> None:
        self._local = local
        self._pace = pace
        self._most = most
        self.deltas: deque[Array] = deque()
        self.held = 0  # tokens of the answer that the small model has read

    def begin(self, prompts: Prompts) -> None:
        """Read the prompts; the first delta."""
        self.deltas.append(self._local.begin(prompts.plain, prompts.private))
        self._size = self.deltas[0].size

    def read(self, tokens: list[int], left: int) -> None:
        """Read the next tokens, at least one; as many deltas more.

        Args:
            tokens: of the answer, from ``held`` on.
            left: how many positions are undecided; no deltas are made beyond.
        """
        known = list(takewhile(lambda token: token < self._size, tokens))  # not an LLM's padding
        count = self._pace.batch(min(len(known), left, self._most))
        started = time.perf_counter()
        self.deltas.extend(self._local.delta(known[:count]))
        self._pace.spent(count, time.perf_counter() - started)
        self.held += count

    def forget(self, position: int) -> None:
        """Forget the LLM's tokens from ``position`` on, and what was concluded from them."""
        self._local.rollback(self.held - position)
        self.held = position
        self.deltas.clear()
