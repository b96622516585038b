"""Responses sent while they are computed: server-sent events, and clients that disconnect."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterable
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.types import Receive, Send

from costeer.serving.body import dump
from costeer.serving.errors import Describe, api_error
from costeer.serving.padded_gzip import PaddedGzip

log = logging.getLogger("costeer.serving")

PIECE = 32 << 10
"""Bytes per send."""


class EventStream:
    """Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html.

    A client that does not read ``PIECE`` bytes in ``stall`` seconds is dropped (``TimeoutError``),
    however large the event is. With ``gzip`` the stream is compressed and flushed after every
    event: nothing is buffered, what all events have in common is sent once, and sizes are padded.

    Args:
        send: of the ASGI connection.
        stall: seconds.
        gzip: compresses this stream.
        describe: translates an error on the way into a frame.
        headers: more of them.
        ping: seconds without an event after which a comment is sent, so that nothing on the way
            takes the connection for dead; None for never.
        named: give each event the name that its ``type`` says.
        done: end with ``[DONE]``; never where events have names.
    """

    HEADERS = (
        (b"content-type", b"text/event-stream; charset=utf-8"),
        (b"cache-control", b"no-cache"),
        (b"x-accel-buffering", b"no"),
    )

    def __init__(
        self,
        send: Send,
        stall: float,
        *,
        gzip: PaddedGzip | None = None,
        describe: Describe = api_error,
        headers: Iterable[tuple[bytes, bytes]] = (),
        ping: float | None = None,
        named: bool = False,
        done: bool = True,
    ) -> None:
        self._send = send
        self._headers = (*self.HEADERS, *headers)
        self._ping = ping
        self._named = named
        self._done = b"data: [DONE]\n\n" if done and not named else b""
        self._describe = describe
        self._stall = stall
        self._gzip = gzip

    async def run(self, first: dict[str, Any] | None, rest: AsyncIterator[dict[str, Any]]) -> None:
        """Send every chunk, or a frame for an error; then, where it is wanted, ``[DONE]``.

        Args:
            first: the first chunk; None where it is not there yet.
            rest: all others.
        """
        encoding = ((b"content-encoding", b"gzip"),) if self._gzip else ()
        headers = (*self._headers, *encoding)
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        if first is None:
            await self._write(b": reading\n\n")
        else:
            await self._event(first)
        try:
            await self._events(rest)
        except TimeoutError:
            raise
        except Exception as error:  # noqa: BLE001 - too late for a status: send a frame
            log.error("a stream failed: %s", type(error).__name__)
            await self._event(self._describe(error).envelope())
        await self._write(self._done, more=False)

    async def _events(self, rest: AsyncIterator[dict[str, Any]]) -> None:
        if self._ping is None:
            async for chunk in rest:
                await self._event(chunk)
            return
        while True:
            coming = asyncio.ensure_future(anext(rest, None))
            try:
                while not (await asyncio.wait({coming}, timeout=self._ping))[0]:
                    await self._write(b": reading\n\n")
            except BaseException:
                coming.cancel()
                raise
            if (event := coming.result()) is None:
                return
            await self._event(event)

    async def _event(self, value: dict[str, Any]) -> None:
        name = f"event: {value['type']}\n".encode() if self._named and "type" in value else b""
        await self._write(name + b"data: " + dump(value) + b"\n\n")

    async def _write(self, body: bytes, *, more: bool = True) -> None:
        if self._gzip:
            compress = partial(self._gzip.write, body, more=more)
            body = await anyio.to_thread.run_sync(compress) if len(body) > PIECE else compress()
        for start in range(0, max(len(body), 1), PIECE):
            message = {
                "type": "http.response.body",
                "body": body[start : start + PIECE],
                "more_body": more or start + PIECE < len(body),
            }
            with anyio.fail_after(self._stall):
                await self._send(message)


async def watch(receive: Receive, on_disconnect: Callable[[], None]) -> None:
    """Call ``on_disconnect`` when the client disconnects."""
    while (await receive())["type"] != "http.disconnect":
        pass
    on_disconnect()
