"""The page as routes: its files, its session, and everything under ``/app``.

Everything under ``/app`` but the session takes a token of scope owner.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from costeer.gateway import values
from costeer.gateway.access import client_of, require_owner, unauthorized
from costeer.gateway.answers import Answers
from costeer.gateway.extension import strength
from costeer.gateway.page.asking import Asking
from costeer.gateway.page.calls import route
from costeer.gateway.page.records import Records
from costeer.gateway.page.sessions import Sessions
from costeer.gateway.page.static import is_static, static_routes
from costeer.gateway.page.storage import Storage
from costeer.gateway.page.stream import AskEndpoint
from costeer.gateway.page.talks import About, Talks
from costeer.serving.body import json_response, read_json

SESSION = "/app/session"


@dataclass(frozen=True, slots=True)
class Page:
    """What the page consists of."""

    about: About
    sessions: Sessions
    storage: Storage
    asking: Asking


def is_open(path: str) -> bool:
    """Whether a path needs no token."""
    return is_static(path) or path == SESSION


def page_routes(page: Page, answers: Answers) -> list[BaseRoute]:
    """All of them."""
    talks, records = Talks(page.about, page.storage, page.asking), Records(page.storage)
    one = "/app/conversations/{id:int}"
    return [
        *static_routes(),
        Route(SESSION, _session(page.sessions), methods=["POST"]),
        route("GET", "/app/state", talks.state),
        route("POST", "/app/keep", talks.keep),
        route("GET", "/app/conversations", talks.all),
        route("POST", "/app/conversations", talks.create),
        route("DELETE", "/app/conversations", talks.remove_all),
        route("GET", one, talks.get),
        route("PATCH", one, talks.rename),
        route("DELETE", one, talks.remove),
        route("POST", one + "/switch", talks.switch),
        Route(one + "/ask", AskEndpoint(answers, page.asking), methods=["POST"]),
        route("POST", "/app/preview", talks.preview),
        route("POST", "/app/exposed", talks.exposed),
        route("GET", "/app/messages/{id:int}/ledger", talks.ledger),
        _live("strength", answers),
        _live("stop", answers),
        route("GET", "/app/records", records.all),
        route("POST", "/app/records", records.add),
        route("PATCH", "/app/records/{id:int}", records.change),
        route("DELETE", "/app/records/{id:int}", records.remove),
        Route("/app/export", _export(page.storage), methods=["GET"]),
    ]


def _session(sessions: Sessions) -> Callable[[Request], Any]:
    async def redeem(request: Request) -> Response:
        body = values.json_object(await read_json(request.scope, request.receive, 1 << 10))
        token = sessions.redeem(values.text(body, "ticket") or "")
        if token is None:
            raise unauthorized("This link was used already, or is too old. Open a new one.")
        return json_response({"token": token})

    return redeem


def _live(action: str, answers: Answers) -> Route:
    """A route that steers an answer under way."""

    async def steer(request: Request) -> Response:
        require_owner(request.scope)
        body = values.json_object(await read_json(request.scope, request.receive, 1 << 10))
        client = client_of(request.scope)
        answer = answers.find(request.path_params["id"], client.name, owner=True)
        if action == "stop":
            answer.stop()
            return json_response({})
        wanted = strength(body.get("strength"), "strength")
        if wanted is None:
            raise values.wrong("strength", "a name or a number")
        answer.set_strength(wanted)
        return json_response({})

    return Route(f"/app/answers/{{id}}/{action}", steer, methods=["POST"])


def _export(storage: Storage) -> Callable[[Request], Any]:
    async def export(request: Request) -> Response:
        require_owner(request.scope)
        return StreamingResponse(
            storage.export(),
            media_type="application/jsonl",
            headers={"content-disposition": 'attachment; filename="costeer.jsonl"'},
        )

    return export
