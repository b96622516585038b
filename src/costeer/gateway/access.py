"""Who may talk to the gateway. Pure ASGI.

Web pages must not reach it: the Host header has to be on a fixed list (an empty one is not), an
Origin, if there is one, has to be that same host and port, and bodies have to be JSON. No CORS
header is ever sent. The list comes first: under DNS rebinding Host and Origin agree, because both
are the attacker's. Then the token decides the scope; once a token was ever made, nobody gets in
without one.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from costeer.exceptions import InputError
from costeer.gateway.tokens import Scope, TokenStore
from costeer.serving.body import error_response
from costeer.serving.errors import ApiError
from costeer.serving.guard import names_server

OPEN = frozenset({"/health"})
"""Paths that need no token."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks: the name of the token, and its scope."""

    name: str
    scope: Scope

    @property
    def owner(self) -> bool:
        """Whether private things may be shown."""
        return self.scope == "owner"


NOBODY = Client("", "app")
"""Who comes without a token, where none is needed."""


class Access:
    """Checks a request, notes who asks, and adds the headers that every response has.

    Args:
        app: sees only what has passed; ``client_of`` tells it who asks.
        tokens: of the clients.
        required: whether a token is needed even while there is none.
        hosts: names that the Host header may have; None for any, and then for any Origin, too.
    """

    def __init__(
        self, app: ASGIApp, *, tokens: TokenStore, required: bool, hosts: Collection[str] | None
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._required = required
        self._hosts = hosts

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with an error."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send)
        try:
            client = self._check(scope)
        except ApiError as error:
            await error_response(error)(scope, receive, send)
            return
        scope["costeer.client"] = client
        await self._app(scope, receive, send)

    def _check(self, scope: Connection) -> Client:
        headers = Headers(scope=scope)
        if self._hosts is not None:
            _check_page(headers, self._hosts)
        if scope["path"] in OPEN:
            return NOBODY
        try:
            return self._client(headers)
        except InputError:
            raise ApiError(
                503, "The file of the tokens cannot be used.", code="tokens_unusable",
                headers={"x-should-retry": "false"},
            ) from None  # fmt: skip

    def _client(self, headers: Headers) -> Client:
        kind, _, given = headers.get("authorization", "").partition(" ")
        token = self._tokens.find(given.strip()) if kind.lower() == "bearer" else None
        if token is not None:
            return Client(token.name, token.scope)
        if not self._required and not self._tokens.exists:
            return NOBODY
        raise ApiError(
            401,
            "A token is required: Authorization: Bearer TOKEN (costeer gateway token add NAME).",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )


def client_of(scope: Connection) -> Client:
    """Who asks."""
    client = scope["costeer.client"]
    assert isinstance(client, Client)  # noqa: S101 - set above
    return client


def _check_page(headers: Headers, hosts: Collection[str]) -> None:
    host = headers.get("host", "")
    if not names_server(host, hosts):
        raise ApiError(400, "The Host header does not name this server.", code="wrong_host")
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2].lower() != host.lower():
        raise ApiError(403, "Pages of other origins may not use this.", code="wrong_origin")


def _with_headers(send: Send) -> Send:
    name = f"req_{secrets.token_hex(12)}"

    async def wrapped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = name
            headers["cache-control"] = "no-store, no-transform"
            headers["x-content-type-options"] = "nosniff"
        await send(message)

    return wrapped
