"""Who may talk to the gateway. Pure ASGI.

Web pages must not reach it: the Host header has to be on a fixed list (an empty one is not), an
Origin, if there is one, has to be that same host and port, and bodies have to be JSON. No CORS
header is ever sent. The list comes first: under DNS rebinding Host and Origin agree, because both
are the attacker's. Then the token decides the scope; once a token was ever made, nobody gets in
without one.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from costeer.exceptions import InputError
from costeer.gateway.tokens import Scope, Token
from costeer.serving.body import error_response
from costeer.serving.errors import ApiError
from costeer.serving.guard import names_server


class Tokens(Protocol):
    """What tokens there are."""

    @property
    def exists(self) -> bool:
        """Whether a token was ever added."""
        ...

    def find(self, token: str) -> Token | None:
        """The entry of a token.

        Raises:
            InputError: nobody can tell.
        """
        ...


def is_health(path: str) -> bool:
    """The one path of the API that needs no token."""
    return path == "/health"


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


def require_owner(scope: Connection) -> None:
    """Let nobody but the person in.

    Raises:
        ApiError: 401 without a token, 403 with an application's.
    """
    client = client_of(scope)
    if client == NOBODY:
        raise unauthorized("A token of scope owner is required.")
    if not client.owner:
        raise ApiError(403, "This takes a token of scope owner.", code="owner_required")


def unauthorized(message: str) -> ApiError:
    """A 401."""
    headers = {"WWW-Authenticate": "Bearer"}
    return ApiError(401, message, code="invalid_api_key", headers=headers)


class Access:
    """Checks a request, notes who asks, and adds the headers that every response has.

    Args:
        app: sees only what has passed; ``client_of`` tells it who asks.
        tokens: of the clients.
        required: whether a token is needed even while there is none.
        hosts: names that the Host header may have; None for any, and then for any Origin, too.
        is_open: whether a path needs no token.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        tokens: Tokens,
        required: bool,
        hosts: Collection[str] | None,
        is_open: Callable[[str], bool] = is_health,
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._required = required
        self._hosts = hosts
        self._is_open = is_open

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
        if self._is_open(scope["path"]):
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
        raise unauthorized(
            "A token is required: Authorization: Bearer TOKEN (costeer gateway token add NAME)."
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
