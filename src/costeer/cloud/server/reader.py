"""The asyncio side of a job."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from costeer.cloud.base import CloudStep
from costeer.cloud.server.jobs import FinishReason, Job
from costeer.cloud.server.scheduler import Scheduler


class Reader:
    """Awaits the steps of a job.

    Args:
        scheduler: runs the job.
        job: its ``notify`` is set here.

    Attributes:
        replaced: whether a request continued the response with other ids.
    """

    def __init__(self, scheduler: Scheduler, job: Job) -> None:
        self._scheduler = scheduler
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.job = job
        self.replaced = False
        job.notify = self._notify

    def _notify(self) -> None:
        with suppress(RuntimeError):  # the loop is closed
            self._loop.call_soon_threadsafe(self._ready.set)

    def abandon(self) -> None:
        """Cancel the job because the client is gone; ``steps`` ends."""
        self._scheduler.cancel(self.job)
        self._ready.set()

    def replace(self) -> None:
        """Cancel the job because another request replaces it; ``steps`` ends."""
        self.replaced = True
        self.abandon()

    async def steps(self) -> AsyncIterator[tuple[CloudStep, FinishReason | None]]:
        """Yield the steps as they are computed, the last with its reason; raise the job's error."""
        while not self.job.cancelled:
            self._ready.clear()
            steps, reason = self._scheduler.take(self.job)
            for remaining, step in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
                yield step, None if remaining else reason
                await asyncio.sleep(0)  # let others run: writing a row takes milliseconds
            if self.job.over and not self.job.outbox:
                if self.job.error is not None:
                    raise self.job.error
                return
            await self._ready.wait()
