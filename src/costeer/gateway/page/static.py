"""The files of the page, which hold nothing private, and the headers that confine it.

No script and no style but ours, no request but to this server, no frame around it: what the LLM
wrote can carry nothing away, even if rendering it were wrong.
"""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route, request_response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from costeer.serving.errors import ApiError

FOLDER = Path(__file__).parent / "static"

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


def is_static(path: str) -> bool:
    """Whether a path is one of these files."""
    return path == "/" or path.startswith("/static/")


def static_routes(folder: Path = FOLDER) -> list[BaseRoute]:
    """``/`` and ``/static``."""
    for suffix, kind in ((".js", "text/javascript"), (".css", "text/css")):
        mimetypes.add_type(kind, suffix)  # the registry of Windows may say otherwise
    index = folder / "index.html"

    async def show(_: Request) -> Response:
        if not index.is_file():
            raise ApiError(404, "The page is not part of this installation.")
        return FileResponse(index)

    files = StaticFiles(directory=folder, check_dir=False)
    mounted = [Mount("/static", _Confined(files))] if folder.is_dir() else []
    return [Route("/", _Confined(request_response(show)), methods=["GET"]), *mounted]


class _Confined:
    """Adds the headers to every response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def confined(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, confined)
