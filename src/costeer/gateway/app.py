"""The gateway as an ASGI application: its routes.

``POST /v1/chat/completions``, ``POST /v1/responses``, ``GET /v1/models`` and ``/v1/models/{id}``,
``GET /health``, ``GET /metrics`` where that is switched on. For the owner, or for the client whose
answer it is: ``POST /costeer/answers/{id}/strength``; for the owner alone:
``GET /costeer/ledger``, and the page (``page.routes``) where there is one.
Nothing but an answer ever makes the device talk to the cloud. Every error is in OpenAI's envelope.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from costeer.exceptions import CoSteerError
from costeer.gateway import model_ids
from costeer.gateway.access import Access, client_of, is_health, require_owner
from costeer.gateway.answering import Answering
from costeer.gateway.answers import Answers, Endpoint, GatewayLimits
from costeer.gateway.chat_chunks import ChatChunks
from costeer.gateway.errors import api_error
from costeer.gateway.extension import strength
from costeer.gateway.metrics import Metrics
from costeer.gateway.page.routes import Page, is_open, page_routes
from costeer.gateway.requests import parse_chat, parse_responses
from costeer.gateway.responses_events import ResponseEvents
from costeer.gateway.tokens import TokenStore
from costeer.gateway.values import json_object, wrong
from costeer.serving.body import error_handler, json_response, read_json
from costeer.serving.errors import ApiError
from costeer.serving.guard import LOOPBACK_NAMES

Ledger = Callable[[], dict[str, Any]]
"""What left the device, as JSON."""

Handler = Callable[[Request], Awaitable[Response]]


def create_app(
    answering: Answering,
    tokens: TokenStore,
    *,
    token_required: bool = False,
    hosts: Collection[str] | None = LOOPBACK_NAMES,
    aliases: Collection[str] = (),
    metrics: bool = False,
    limits: GatewayLimits | None = None,
    ledger: Ledger | None = None,
    page: Page | None = None,
) -> Starlette:
    """Build the application.

    Args:
        answering: writes the answers; stays the caller's.
        tokens: of the clients.
        token_required: whether a token is needed even while there is none.
        hosts: names that the Host header may have; None for any.
        aliases: model ids that mean ``costeer``.
        metrics: whether ``/metrics`` is there.
        limits: what requests may cost.
        ledger: what ``/costeer/ledger`` shows.
        page: for the person, beside the API.

    Returns:
        It; ``state.answers.close`` ends what is under way, from any thread.
    """
    counters = Metrics()
    answers = Answers(answering, limits or GatewayLimits(), counters, aliases)
    routes: list[BaseRoute] = [
        _post("/v1/chat/completions", Endpoint(answers, parse_chat, ChatChunks), counters),
        _post(
            "/v1/responses",
            Endpoint(answers, parse_responses, ResponseEvents, named=True),
            counters,
        ),
        *_model_routes(answering, aliases),
        Route("/health", _health, methods=["GET"]),
        Route("/costeer/answers/{id}/strength", _strength(answers), methods=["POST"]),
    ]
    if metrics:
        routes.append(Route("/metrics", _metrics(counters), methods=["GET"]))
    if ledger is not None:
        routes.append(Route("/costeer/ledger", _ledger(ledger, answers), methods=["GET"]))
    access: dict[str, Any] = {"tokens": tokens}
    if page is not None:
        routes += page_routes(page, answers)
        access = {"tokens": page.sessions, "is_open": lambda path: is_health(path) or is_open(path)}
    app = Starlette(
        routes=routes,
        middleware=[Middleware(Access, required=token_required, hosts=hosts, **access)],
        exception_handlers=dict.fromkeys(
            (ApiError, HTTPException, CoSteerError, Exception), error_handler(api_error)
        ),
    )
    app.router.redirect_slashes = False
    app.state.answers = answers
    return app


async def _health(_: Request) -> Response:
    return json_response({"status": "ok"})


def _model_routes(answering: Answering, aliases: Collection[str]) -> list[Route]:
    created = int(time.time())

    def ids() -> list[str]:
        return model_ids.ids(answering.profiles, aliases)

    async def listed(_: Request) -> Response:
        cards = [model_ids.card(one, created) for one in ids()]
        return json_response({"object": "list", "data": cards})

    async def one(request: Request) -> Response:
        model = request.path_params["id"]
        model_ids.choose(model, answering.profiles, aliases)
        return json_response(model_ids.card(model, created))

    return [
        Route("/v1/models", listed, methods=["GET"]),
        Route("/v1/models/{id:path}", one, methods=["GET"]),
    ]


def _strength(answers: Answers) -> Handler:
    async def change(request: Request) -> Response:
        client = client_of(request.scope)
        body = json_object(await read_json(request.scope, request.receive, 1 << 10))
        wanted = strength(body.get("strength"), "strength")
        if wanted is None:
            raise wrong("strength", "a name or a number")
        answer = answers.find(request.path_params["id"], client.name, owner=client.owner)
        answer.set_strength(wanted)
        return json_response({"strength": wanted})

    return change


def _metrics(counters: Metrics) -> Handler:
    async def show(_: Request) -> Response:
        return PlainTextResponse(counters.text(), media_type="text/plain; version=0.0.4")

    return show


def _ledger(ledger: Ledger, answers: Answers) -> Handler:
    async def show(request: Request) -> Response:
        require_owner(request.scope)
        return json_response(ledger() | {"answers": answers.ledger.as_json()})

    return show


def _post(path: str, endpoint: ASGIApp, counters: Metrics) -> Route:
    return Route(path, _Counted(path, endpoint, counters), methods=["POST"])


class _Counted:
    """Counts the responses of a route by their status."""

    def __init__(self, path: str, app: ASGIApp, counters: Metrics) -> None:
        self._path = path
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._count(message["status"])
            await send(message)

        try:
            await self._app(scope, receive, counted)
        except Exception as error:  # whatever it is: it is counted, and raised again
            self._count(api_error(error).status)
            raise

    def _count(self, status: int) -> None:
        self._counters.responses[self._path, status] += 1
