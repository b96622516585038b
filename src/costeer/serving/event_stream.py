"""Responses sent while they are computed: server-sent events, and clients that disconnect."""

from __future__ import annotations

import logging
import zlib
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.types import Receive, Send

from costeer.serving.body import dump
from costeer.serving.errors import Describe, api_error

log = logging.getLogger("costeer.serving")

PIECE = 32 << 10
"""Bytes per send."""


class EventStream:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html.

    A client that does not read ``PIECE`` bytes in ``stall`` seconds is dropped (``TimeoutError``),
    however large the event is. With ``compress`` the stream is gzip, flushed after every event:
    nothing is buffered, and what all events have in common is sent once.
    """

    HEADERS = (
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    )

    def __init__(
        self, send: Send, stall: float, *, compress: bool = False, describe: Describe = api_error
    ) -> None:
        self._send = send
        self._describe = describe
        self._stall = stall
        self._gzip = zlib.compressobj(wbits=31) if compress else None

    async def run(self, first: dict[str, Any], rest: AsyncIterator[dict[str, Any]]) -> None:
        """Send every chunk, or a frame for an error, then ``[DONE]``."""
        encoding = ((b"content-encoding", b"gzip"),) if self._gzip else ()
        headers = (*self.HEADERS, *encoding)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._data(dump(first))
        try:
            async for chunk in rest:
                await self._data(dump(chunk))
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - too late for a status: send a frame
            log.error("a stream failed: %s", type(error).__name__)
            await self._data(dump(self._describe(error).envelope()))
        await self._data(b"[DONE]", more=False)

    async def _data(self, payload: bytes, *, more: bool = True) -> None:
        body = b"data: " + payload + b"\n\n"
        if self._gzip:
            flush = zlib.Z_SYNC_FLUSH if more else zlib.Z_FINISH
            compress = partial(_compress, self._gzip, body, flush)
            body = await anyio.to_thread.run_sync(compress) if len(body) > PIECE else compress()
        for start in range(0, len(body), PIECE):
            message = {
                "type": "http.response.body",
                "body": body[start : start + PIECE],
                "more_body": more or start + PIECE < len(body),
            }
            with anyio.fail_after(self._stall):
                await self._send(message)


def _compress(gzip: zlib._Compress, body: bytes, flush: int) -> bytes:
    return gzip.compress(body) + gzip.flush(flush)


async def watch(receive: Receive, on_disconnect: Callable[[], None]) -> None:
    """Call ``on_disconnect`` when the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    on_disconnect()
