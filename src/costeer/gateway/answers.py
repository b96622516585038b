"""One request for an answer, from its body to the end: shared by both endpoints.

Errors that are found before the first token are real statuses. Where reading the prompt takes
longer than ``GatewayLimits.ping``, the response begins without a token, and comments keep it alive;
errors are frames from then on.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from costeer.edge.answer import Chunk, Result
from costeer.gateway import fields
from costeer.gateway.access import client_of
from costeer.gateway.answering import Answer, Answering
from costeer.gateway.errors import api_error, queue_full
from costeer.gateway.ledger import ClientLedger
from costeer.gateway.logprobs import Spell
from costeer.gateway.metrics import Metrics
from costeer.gateway.pump import Pump
from costeer.gateway.requests import Parsed, Surroundings
from costeer.serving.body import dump, read_json
from costeer.serving.errors import ApiError
from costeer.serving.event_stream import EventStream, watch

log = logging.getLogger("costeer.gateway")

CLOSING_SECONDS = 2.0
"""How long an answer may take to end when the gateway does."""


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """What requests may cost.

    Attributes:
        body_bytes: of a request.
        queue: answers that may wait beside those that are written.
        stall: seconds in which a client has to take something.
        ping: seconds without an event after which a comment is sent.
    """

    body_bytes: int = 8 << 20
    queue: int = 16
    stall: float = 60.0
    ping: float = 5.0


class Shape(Protocol):
    """An answer in the form of one endpoint."""

    id: str

    def stream(self, chunks: AsyncIterator[Chunk], result: Result) -> AsyncIterator[dict[str, Any]]:
        """The events of a streamed answer."""
        ...

    async def whole(self, chunks: AsyncIterator[Chunk], result: Result) -> dict[str, Any]:
        """The answer in one piece."""
        ...


@dataclass(slots=True)
class UnderWay:
    """An answer that its client may still steer."""

    pump: Pump
    client: str


class Answers:
    """The answers under way, and room for more.

    Args:
        answering: writes them.
        limits: see there.
        metrics: counts them.
        aliases: model ids that mean the usual one.
    """

    def __init__(
        self,
        answering: Answering,
        limits: GatewayLimits,
        metrics: Metrics,
        aliases: Collection[str],
    ) -> None:
        self.answering = answering
        self.limits = limits
        self.metrics = metrics
        self.aliases = aliases
        self.ledger = ClientLedger()
        self.closed = False
        self._under_way: dict[str, UnderWay] = {}

    def find(self, name: str, client: str, *, owner: bool) -> Answer:
        """An answer under way, for its client or the owner.

        Raises:
            ApiError: 404, there is none, or it is another client's.
        """
        found = self._under_way.get(name)
        if found is None or found.pump.answer is None or not (owner or found.client == client):
            raise ApiError(404, "There is no such answer under way.", code="answer_not_found")
        return found.pump.answer

    def begin(
        self, name: str, start: Callable[[], Answer], client: str, *, reserved: int = 0
    ) -> Pump:
        """Begin an answer, or let it wait.

        Args:
            name: by which it is found.
            start: begins it.
            client: who asks.
            reserved: places of the queue that only this kind of client has.

        Raises:
            ApiError: 429, too many wait; 503, the gateway is shutting down.
        """
        if self.closed:
            raise ApiError(503, "The gateway is shutting down.", code="shutting_down")
        if len(self._under_way) >= self.answering.places + self.limits.queue + reserved:
            self.metrics.rejected += 1
            raise queue_full()
        pump = Pump(start, lambda: self._end(name))
        self._under_way[name] = UnderWay(pump, client)
        self.metrics.under_way = len(self._under_way)
        return pump

    def _end(self, name: str) -> None:
        ended = self._under_way.pop(name)
        self.metrics.under_way = len(self._under_way)
        if ended.pump.answer is not None:
            self.ledger.record(ended.client, ended.pump.answer.result)

    def close(self) -> None:
        """End all answers, and wait until what they wrote is kept; not in the event loop."""
        self.closed = True
        self.answering.stop()
        for one in list(self._under_way.values()):
            one.pump.wait(CLOSING_SECONDS)


class Endpoint:
    """A POST route that writes answers, as an ASGI application.

    Args:
        answers: begins them.
        parse: reads a body.
        shape: makes the form of an answer.
        named: whether events of its streams have names.
    """

    def __init__(
        self,
        answers: Answers,
        parse: Callable[[Any, Surroundings], Parsed],
        shape: Callable[[Parsed, Spell], Shape],
        *,
        named: bool = False,
    ) -> None:
        self._answers = answers
        self._parse = parse
        self._shape = shape
        self._named = named

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; whatever happens, its lane is freed."""
        client = client_of(scope)
        answers = self._answers
        body = await read_json(scope, receive, answers.limits.body_bytes)
        answering = answers.answering
        around = Surroundings(answering.profiles, answers.aliases, client.owner, answering.is_text)
        parsed = self._parse(body, around)
        shape = self._shape(parsed, answering.spell)
        start = partial(answering.start, parsed.ask)
        pump = answers.begin(shape.id, start, client.name)
        watching = asyncio.create_task(watch(receive, pump.abandon))
        try:
            await self._write(parsed, shape, pump, scope, receive, send)
        except TimeoutError:  # returning without an end makes uvicorn cut the connection
            log.warning("a client that took nothing was disconnected")
        except Exception as error:  # noqa: BLE001 - whose text may quote the request
            raise _logged(error) from None
        finally:
            watching.cancel()
            pump.abandon()

    async def _write(
        self, parsed: Parsed, shape: Shape, pump: Pump, scope: Scope, receive: Receive, send: Send
    ) -> None:
        chunks = self._counted(pump.chunks())
        headers = {"x-costeer-answer": shape.id}
        if named := fields.header(parsed.ignored):
            headers["x-costeer-ignored"] = named
        await pump.started()
        if pump.answer is None:  # the client has gone
            return
        result = pump.answer.result
        if not parsed.stream:
            made = await shape.whole(chunks, result)
            if result.warning:
                headers["x-costeer-warning"] = result.warning
            if not pump.abandoned:
                response = Response(dump(made), headers=headers, media_type="application/json")
                await response(scope, receive, send)
            return
        await self._stream(shape, pump, chunks, result, headers, send)

    async def _stream(
        self,
        shape: Shape,
        pump: Pump,
        chunks: AsyncIterator[Chunk],
        result: Result,
        headers: dict[str, str],
        send: Send,
    ) -> None:
        limits = self._answers.limits
        head = asyncio.ensure_future(anext(chunks, None))
        try:
            done, _ = await asyncio.wait({head}, timeout=limits.ping)
            if done:
                head.result()  # an error up to here is a real error answer
            if pump.abandoned:
                return
            events = shape.stream(_chain(head, chunks), result)
            first = await anext(events) if done else None
            stream = EventStream(
                send,
                limits.stall,
                describe=_logged,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
                ping=limits.ping,
                named=self._named,
            )
            await stream.run(first, events)
        finally:
            head.cancel()

    async def _counted(self, chunks: AsyncIterator[Chunk]) -> AsyncIterator[Chunk]:
        async for chunk in chunks:
            self._answers.metrics.tokens += 1
            yield chunk


async def _chain(
    head: asyncio.Future[Chunk | None], rest: AsyncIterator[Chunk]
) -> AsyncIterator[Chunk]:
    first = await head
    if first is None:
        return
    yield first
    async for chunk in rest:
        yield chunk


def _logged(error: Exception) -> ApiError:
    """Describe an error; log only what kind it is, because its text may quote the request."""
    described = api_error(error)
    if described.status >= 500:
        log.error("an answer failed: %s", type(error).__name__)
    return described
