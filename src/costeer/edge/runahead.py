"""Run-ahead: the LLM keeps writing a draft, and the device verifies it one step behind.

Most steered tokens are the LLM's own, so the LLM hears from the device only when they differ.
Drafted steps arrive in the background (``draft``); each is verified with the delta of its position,
exactly as in lockstep. At a token that differs, the LLM gets a new request from the corrected
prefix, and the small model reads the correction meanwhile. A round trip is paid per correction, not
per token.

The small model reads one decided token at a time. Reading several drafted ones in a call would save
work only where a call for several costs less than as many calls. On llama.cpp on a CPU it does not
(``bench/batch.py``), and elsewhere it changes the rounding, and so near-ties.
"""

from __future__ import annotations

import time
from collections.abc import Generator

from costeer.cloud.base import CloudModel, CloudStep
from costeer.cloud.cancellation import Stop
from costeer.edge.draft import CLOSING_SECONDS, Burst, DraftStream
from costeer.edge.prompts import Prompts
from costeer.edge.slm import DeltaSource, next_delta
from costeer.edge.verify import DecodeParams, Step, Verifier


def run_ahead(
    cloud: CloudModel, slm: DeltaSource, prompts: Prompts, params: DecodeParams, stop: Stop
) -> Generator[Step, None, None]:
    """Decode one answer; see ``decode.generate_step``."""
    verifier = Verifier(cloud, prompts.public, params, stop)
    drafts = _Drafts(cloud, params, verifier, stop)
    try:
        while not verifier.done:
            delta = next_delta(slm, prompts, verifier.decided)
            step = verifier.verify(drafts.wait(), delta, drafts.received, drafts.yield_slot)
            if (step.corrected or drafts.abandoned) and not verifier.done:
                drafts.restart()
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
        self._open_drafts: list[DraftStream] = []
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

    def _open(self, replaces: DraftStream | None = None) -> DraftStream:
        draft = DraftStream(
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
