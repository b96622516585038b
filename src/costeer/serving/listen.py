"""Run an ASGI application on a socket, with uvicorn. Knows nothing about what it serves."""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from costeer.exceptions import UsageError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp


LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
"""Addresses that only this machine can reach."""


def url_host(host: str) -> str:
    """Return a host as it stands in URLs and in Host headers: IPv6 addresses in brackets."""
    return f"[{host}]" if ":" in host else host


def bind(host: str, port: int) -> socket.socket:
    """Open a listening socket.

    Raises:
        UsageError: the port is taken, or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=128)
        # Inherited by the connections. asyncio sets it only on sockets that name their protocol;
        # without it a token waits up to 40 ms for the acknowledgement of the previous one.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The system reports that a peer reads only once a third of this is free. With the default
        # of megabytes, a slow reader of large rows looks like one that reads nothing.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        return listening
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "invalid"
        raise UsageError(
            f"Cannot listen on {host} port {port}: {reason}.",
            "Choose another --port (0 picks a free one) or --host.",
        ) from None


def address(listening: socket.socket, host: str) -> str:
    """Return the URL of a listening socket."""
    return f"http://{url_host(host)}:{listening.getsockname()[1]}"


def uvicorn_server(
    app: ASGIApp, on_ready: Callable[[], None], on_stop: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """Create a uvicorn server that calls ``on_ready`` once it accepts connections.

    ``on_stop`` is called in a thread when the server begins to shut down. It should end what
    running requests wait for, so that they are answered and not cut off. ``run(sockets=[...])``
    blocks; ``should_exit = True`` ends it from any thread.
    """
    import anyio.to_thread
    import uvicorn

    from costeer.serving.connections import TERSE_FILTER, LimitedConnection

    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(TERSE_FILTER)

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                on_ready()

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            await anyio.to_thread.run_sync(on_stop)
            await super().shutdown(sockets)

    return Server(
        uvicorn.Config(
            app,
            http=LimitedConnection,
            backlog=64,  # also how often asyncio retries, and logs, when out of files
            ws="none",
            loop="asyncio",
            lifespan="on",
            access_log=False,  # requests are not logged
            log_level="warning",
            server_header=False,
            timeout_keep_alive=75,  # a device may think for a while between two requests
            timeout_graceful_shutdown=2,
        )
    )


def exit_with_parent() -> None:
    """End this process when its standard input closes.

    The parent holds the other end of the pipe, so the pipe closes however the parent ends.
    """

    def wait() -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader can deadlock the exit
        while os.read(0, 4096):
            pass
        os._exit(0)  # also while a model is loading

    threading.Thread(target=wait, name="costeer-parent", daemon=True).start()
