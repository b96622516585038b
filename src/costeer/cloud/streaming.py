"""The asyncio side of a job: its steps awaited, its chunks sent, its client watched."""

from __future__ import annotations

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.types import Receive, Send

from costeer.cloud.base import CloudStep
from costeer.cloud.chunks import dump
from costeer.cloud.errors import api_error
from costeer.cloud.jobs import FinishReason, Job
from costeer.cloud.scheduler import Scheduler

log = logging.getLogger("costeer.server")


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


async def watch(receive: Receive, reader: Reader) -> None:
    """Give the job up when the client goes."""
    while (await receive())["type"] != "http.disconnect":
        pass
    reader.abandon()


PIECE = 32 << 10
"""Bytes sent at a time."""


class EventStream:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html.

    A client that does not take ``PIECE`` bytes in ``stall`` seconds is given up
    (``TimeoutError``), however large the event is that they are part of. With
    ``compress`` the stream is gzip, flushed after every event: nothing is held back, and what all
    events have in common is sent once.
    """

    HEADERS = (
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    )

    def __init__(self, send: Send, stall: float, *, compress: bool = False) -> None:
        self._send = send
        self._stall = stall
        self._gzip = zlib.compressobj(wbits=31) if compress else None

    async def run(self, first: dict[str, Any], rest: AsyncIterator[dict[str, Any]]) -> None:
        """Send every chunk; an error on the way becomes a frame. ``[DONE]`` ends both."""
        encoding = ((b"content-encoding", b"gzip"),) if self._gzip else ()
        headers = (*self.HEADERS, *encoding)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._data(dump(first))
        try:
            async for chunk in rest:
                await self._data(dump(chunk))
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - the status line is out: say it in-band
            log.error("a stream failed: %s", type(error).__name__)
            await self._data(dump(api_error(error).envelope()))
        await self._data(b"[DONE]", more=False)

    async def _data(self, payload: bytes, *, more: bool = True) -> None:
        body = b"data: " + payload + b"\n\n"
        if self._gzip:
            how = zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            squeeze = partial(_squeezed, self._gzip, body, how)
            body = await anyio.to_thread.run_sync(squeeze) if len(body) > PIECE else squeeze()
        for start in range(0, len(body), PIECE):
            message = {
                "type": "http.response.body",
                "body": body[start : start + PIECE],
                "more_body": more or start + PIECE < len(body),
            }
            with anyio.fail_after(self._stall):
                await self._send(message)


def _squeezed(gzip: zlib._Compress, body: bytes, how: int) -> bytes:
    return gzip.compress(body) + gzip.flush(how)
