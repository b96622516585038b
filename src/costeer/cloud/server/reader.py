"""The asyncio side of a job: its steps awaited."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

from costeer.cloud.base import CloudStep
from costeer.cloud.server.jobs import FinishReason, Job
from costeer.cloud.server.scheduler import Scheduler


class Reader:
    """A job's steps, awaited: the asyncio side of a ``Job``."""

    def __init__(self, scheduler: Scheduler, job: Job) -> None:
        self._scheduler = scheduler
        self._ready = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.job = job
        self.replaced = False  # by a request that continued the response with other ids
        job.notify = self._notify

    def _notify(self) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody reads any more
            self._loop.call_soon_threadsafe(self._ready.set)

    def abandon(self) -> None:
        """The client is gone; ``steps`` ends."""
        self._scheduler.cancel(self.job)
        self._ready.set()

    def replace(self) -> None:
        """The answer takes another turn; ``steps`` ends."""
        self.replaced = True
        self.abandon()

    async def steps(self) -> AsyncIterator[tuple[CloudStep, FinishReason | None]]:
        """The steps as they come, the last with its reason; raises the job's error."""
        while not self.job.cancelled:
            self._ready.clear()
            steps, reason = self._scheduler.take(self.job)
            for left, step in zip(range(len(steps) - 1, -1, -1), steps, strict=True):
                yield step, None if left else reason
                await asyncio.sleep(0)  # others' turn: a row takes milliseconds to write
            if self.job.over and not self.job.outbox:
                if self.job.error is not None:
                    raise self.job.error
                return
            await self._ready.wait()
