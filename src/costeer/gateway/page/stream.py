"""``POST /app/conversations/{id}/ask``: one answer as a stream of events."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import anyio.to_thread
from starlette.types import Receive, Scope, Send

from costeer.exceptions import StoppedError
from costeer.gateway.access import client_of, require_owner
from costeer.gateway.answers import Answers
from costeer.gateway.page.asked import parse
from costeer.gateway.page.asking import Asking
from costeer.gateway.page.calls import path_number
from costeer.gateway.page.errors import page_error
from costeer.gateway.page.markdown import render
from costeer.gateway.page.writing import PageAnswer
from costeer.gateway.pump import Pump
from costeer.gateway.values import json_object
from costeer.serving.body import error_response, read_json
from costeer.serving.event_stream import EventStream, watch

log = logging.getLogger("costeer.gateway")

RESERVED = 16
"""Places in the queue that applications cannot take."""

Event = dict[str, Any]


class AskEndpoint:
    """The route as an ASGI application.

    Args:
        answers: those under way.
        asking: begins them.
    """

    def __init__(self, answers: Answers, asking: Asking) -> None:
        self._answers = answers
        self._asking = asking

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; what was written is kept however it ends."""
        try:
            await self._answer(scope, receive, send)
        except TimeoutError:  # returning without an end makes uvicorn cut the connection
            log.warning("a page that took nothing was disconnected")

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            name, pump = await self._begin(scope, receive)
        except Exception as error:  # noqa: BLE001 - whose text may quote the person
            await error_response(page_error(error))(scope, receive, send)
            return
        watching = asyncio.create_task(watch(receive, pump.abandon))
        try:
            await self._run(name, pump, scope, receive, send)
        finally:
            watching.cancel()
            pump.abandon()

    async def _begin(self, scope: Scope, receive: Receive) -> tuple[str, Pump]:
        require_owner(scope)
        body = await read_json(scope, receive, self._answers.limits.body_bytes)
        asked = parse(json_object(body))
        name = f"page_{secrets.token_hex(12)}"
        start = partial(self._asking.start, path_number(scope["path_params"]), asked)
        return name, self._answers.begin(name, start, client_of(scope).name, reserved=RESERVED)

    async def _run(self, name: str, pump: Pump, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await pump.started()
        except Exception as error:  # noqa: BLE001 - as above
            await error_response(page_error(error))(scope, receive, send)
            return
        answer = pump.answer
        if isinstance(answer, PageAnswer):  # else the page has gone
            events = _events(name, pump, answer)
            limits = self._answers.limits
            stream = EventStream(
                send, limits.stall, describe=page_error, ping=limits.ping, done=False
            )
            await stream.run(await anext(events), events)


async def _events(name: str, pump: Pump, answer: PageAnswer) -> AsyncIterator[Event]:
    stand_ins = answer.keeping is not None and answer.keeping.sends_stand_ins(answer.result)
    yield {
        "type": "begin",
        "answer": name,
        "question": answer.question,
        "guard": answer.result.guard,
        "stand_ins": stand_ins,
    }
    if answer.result.note:
        yield {"type": "note", "text": answer.result.note}
    for token in answer.tokens[: answer.begun]:
        yield {"type": "token", **token}
    shown = answer.begun
    failed: Exception | None = None
    try:
        async for _ in pump.chunks():
            yield {"type": "token", **answer.tokens[shown]}
            shown += 1
    except StoppedError:
        pass  # the person stopped it, or the gateway ends
    except Exception as error:  # noqa: BLE001 - too late for a status
        failed = error
    if answer.result.warning:
        yield {"type": "warning", "text": answer.result.warning}
    if failed is not None:
        yield {"type": "error", **page_error(failed).envelope(), "message": answer.message}
        return
    yield await _end(answer)


async def _end(answer: PageAnswer) -> Event:
    result = answer.result
    return {
        "type": "end",
        "message": answer.message,
        "html": await anyio.to_thread.run_sync(render, result.text),
        "finish_reason": result.finish_reason,
        "tokens_changed": sum(token["changed"] for token in answer.tokens),
        "bytes_up": result.bytes_up,
        "bytes_down": result.bytes_down,
    }
