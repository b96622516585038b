"""Run-ahead: the LLM keeps writing a draft, and the device verifies it one step behind.

Most steered tokens are the LLM's own, so the LLM hears from the device only when they differ.
Drafted steps arrive in the background (``draft``). The small model reads as many of their tokens
per call as leaves every number what it is in lockstep, and each step is verified with the delta of
its own position. At the first token that differs, the small model rolls back and the LLM gets a
new request from the corrected prefix. A round trip is paid per correction, not per token.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator
from itertools import takewhile

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.stop import Stop
from costeer.decoding.steering import Array
from costeer.edge.draft import CLOSING_SECONDS, Burst, Draft
from costeer.edge.prompts import Prompts
from costeer.edge.slm import DeltaSource
from costeer.edge.verify import DecodeParams, Step, Verifier

LARGEST_BATCH = 16
"""Most drafted tokens per call of the small model. After a correction the rest was in vain."""


def run_ahead(
    cloud: CloudModel, slm: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    """Decode one answer; see ``decode.generate_step``."""
    verifier = Verifier(cloud, prompts.public, params, stop)
    drafts = _Drafts(cloud, params, verifier, stop)
    deltas = _DeltaQueue(slm)
    try:
        deltas.begin(prompts)
        while not verifier.done:
            if not deltas.ready:
                unread = [*verifier.decided[deltas.read_count :], *drafts.tokens()]
                deltas.read(unread, verifier.remaining)
            drafted, delta = drafts.wait(), deltas.ready.popleft()
            step = verifier.verify(drafted, delta, drafts.received, drafts.yield_slot)
            if (step.corrected or drafts.abandoned) and not verifier.done:
                drafts.restart()
                deltas.roll_back(step.position)
            else:
                drafts.accept()
            yield step
        drafts.finish()
    finally:
        drafts.cancel()


class _Drafts:
    """The LLM's steps for the undecided positions, across corrections."""

    def __init__(
        self, cloud: CloudModel, params: DecodeParams, verifier: Verifier, stop: Stop
    ) -> None:
        self._cloud = cloud
        self._stop = stop
        self._params = params
        self._verifier = verifier
        self._burst = Burst(most=cloud.info().remembered_steps)
        self._received_before = 0  # steps of the drafts before the present one
        self._one_at_a_time = cloud.info().queues
        self.abandoned = False  # the present draft was given up although nothing differs
        self._open_drafts: list[Draft] = []
        self._draft = self._open()

    @property
    def received(self) -> int:
        """How many steps have arrived."""
        return self._received_before + self._draft.received

    def wait(self) -> CloudStep:
        """Return the step for the next position."""
        step = self._draft.wait()
        while step is None:  # it ended early: the context is full, or the server has a limit
            self.restart()
            step = self._draft.wait()
        return step

    def tokens(self) -> list[int]:
        """Return the drafted tokens beyond the decided ones, up to an end of text."""
        tokens = self._draft.tokens()
        return tokens[:-1] if tokens and tokens[-1] in self._params.eos_ids else tokens

    def accept(self) -> None:
        """Accept the first drafted token."""
        self._draft.accept()

    def yield_slot(self) -> None:
        """Let another request through where it would have to wait for the draft to end."""
        if self._one_at_a_time:
            self.abandoned = True
            self._draft.abandon()
            self._draft.join(CLOSING_SECONDS)

    def restart(self) -> None:
        """Draft again from the decided tokens."""
        self.abandoned = False
        old, self._draft = self._draft, self._open(replaces=self._draft)
        self._received_before += old.received
        old.abandon()

    def finish(self) -> None:
        """The answer is complete: give the streams a moment to end properly."""
        self._draft.abandon()
        self._join()

    def cancel(self) -> None:
        """Cut the streams that are still open, and wait until their bytes are counted."""
        self._stop.set()
        self._join()

    def _join(self) -> None:
        end = time.monotonic() + CLOSING_SECONDS
        for draft in self._open_drafts:
            draft.join(end - time.monotonic())

    def _open(self, replaces: Draft | None = None) -> Draft:
        draft = Draft(
            self._cloud,
            self._verifier.prefix,
            self._verifier.top_k,
            self._verifier.remaining,
            self._params.eos_ids,
            self._burst,
            self._stop,
            replaces,
        )
        self._open_drafts = [other for other in self._open_drafts if other.running] + [draft]
        return draft


class _DeltaQueue:
    """The small model's deltas for the next positions.

    Attributes:
        ready: (V,) each, for the next undecided positions.
        read_count: how many tokens of the answer the small model has read.
    """

    def __init__(self, slm: DeltaSource) -> None:
        self._slm = slm
        self._most = min(slm.exact_steps, LARGEST_BATCH)
        self.ready: deque[Array] = deque()
        self.read_count = 0

    def begin(self, prompts: Prompts) -> None:
        """Read the prompts; queue the first delta."""
        self.ready.append(self._slm.begin(prompts.plain, prompts.private))
        self._vocab_size = self.ready[0].size

    def read(self, tokens: list[int], remaining: int) -> None:
        """Read at least one more token; queue as many deltas.

        Args:
            tokens: of the answer, from ``read_count`` on.
            remaining: undecided positions; no delta is computed beyond them.
        """
        # A drafted id beyond the vocabulary is padding of the LLM's; the small model has no row.
        readable = list(takewhile(lambda token: token < self._vocab_size, tokens))
        count = min(len(readable), remaining, self._most)
        self.ready.extend(self._slm.delta(readable[:count]))
        self.read_count += count

    def roll_back(self, position: int) -> None:
        """Forget the drafted tokens from ``position`` on, and their deltas."""
        self._slm.rollback(self.read_count - position)
        self.read_count = position
        self.ready.clear()
