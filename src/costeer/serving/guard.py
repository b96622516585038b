"""Access control: the Host header and the key. Pure ASGI.

Web pages must not reach a server on the loopback interface. So the Host header has to name it,
which stops DNS rebinding, and bodies have to be JSON (``body``). Keys are compared in constant
time.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from costeer.serving.body import error_response
from costeer.serving.errors import ApiError
from costeer.serving.listen import LOOPBACK, url_host

LOOPBACK_NAMES = frozenset(map(url_host, LOOPBACK))
ADDRESSES = "*address*"
"""Stands for any IP address: after DNS rebinding, the Host header holds a name."""

OPEN_PATHS = frozenset({"/health"})


class HostGuard:
    """Checks the Host header and the key before ``app`` sees a request.

    Args:
        app: the application to protect.
        api_key: required as ``Authorization: Bearer KEY``; None lets everybody in.
        hosts: names allowed in the Host header, without port; ``ADDRESSES`` stands for every
            numeric address; None allows any.
    """

    def __init__(self, app: ASGIApp, *, api_key: str | None, hosts: Collection[str] | None) -> None:
        self._app = app
        self._key = None if api_key is None else f"Bearer {api_key}".encode()
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer it with an error."""
        error = self._check(scope) if scope["type"] == "http" else None
        if error is None:
            await self._app(scope, receive, send)
        else:
            await error_response(error)(scope, receive, send)

    def _check(self, scope: Scope) -> ApiError | None:
        headers = Headers(scope=scope)
        if self._hosts is not None and not names_server(headers.get("host", ""), self._hosts):
            return ApiError(400, "The Host header does not name this server.", code="wrong_host")
        if self._key is None or scope["path"] in OPEN_PATHS:
            return None
        sent = headers.get("authorization", "").encode("latin-1")
        if hmac.compare_digest(sent, self._key):
            return None
        return ApiError(
            401,
            "A valid API key is required: Authorization: Bearer KEY.",
            code="invalid_api_key",
            headers={"WWW-Authenticate": "Bearer"},
        )


def names_server(header: str, hosts: Collection[str]) -> bool:
    """Return whether the Host header names this server."""
    name = _host(header)
    if name in hosts:
        return True
    if ADDRESSES not in hosts:
        return False
    try:
        ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
    except ValueError:
        return False
    return True


def _host(value: str) -> str:
    """Return the name in a Host header, without port, in lower case."""
    name, colon, port = value.rpartition(":")
    return (name if colon and port.isdigit() else value).lower()
