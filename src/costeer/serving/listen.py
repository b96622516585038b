"""Run an ASGI application on a socket, with uvicorn; knows nothing of what it serves."""

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


def bind(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises:
        UsageError: the port is taken, or the address is not this machine's.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listening = socket.create_server((host, port), family=family, backlog=128)
        # Inherited by its connections. asyncio sets it only on sockets that name their protocol,
        # and without it a token waits up to 40 ms for the receipt of the one before.
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # The system tells that a peer takes something only when a third of this is free again: with
        # its own choice, megabytes, a slow reader of large rows looks like one that takes nothing.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 64 << 10)
        return listening
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "invalid"
        raise UsageError(
            f"Cannot listen on {host} port {port}: {reason}.",
            "Choose another --port (0 picks a free one) or --host.",
        ) from None


def address(listening: socket.socket, host: str) -> str:
    """The URL of a listening socket."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{listening.getsockname()[1]}"


def uvicorn_server(
    app: ASGIApp, on_ready: Callable[[], None], on_stop: Callable[[], None] = lambda: None
) -> uvicorn.Server:
    """A uvicorn server that calls ``on_ready`` once it accepts connections.

    ``on_stop`` is called, in a thread, as soon as it is to end: what requests under way wait for
    should end then, so that they are answered and not cut.
    Its ``run(sockets=[...])`` blocks; ``should_exit = True`` ends it from any thread.
    """
    import anyio.to_thread
    import uvicorn

    from costeer.serving.connections import TERSE, Connection

    for name in ("uvicorn.error", "asyncio"):
        logging.getLogger(name).addFilter(TERSE)

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
            http=Connection,
            backlog=64,  # also how often asyncio tries, and complains, where files run out
            ws="none",
            loop="asyncio",
            lifespan="on",
            access_log=False,  # who asked for what is nobody's business
            log_level="warning",
            server_header=False,
            timeout_keep_alive=75,  # a device may think for a while between two requests
            timeout_graceful_shutdown=2,
        )
    )


def exit_with_parent() -> None:
    """End this process as soon as its standard input does.

    The parent holds the other end of the pipe, so its death, however violent, closes it.
    """

    def wait() -> None:
        # os.read, not sys.stdin: a thread inside a buffered reader can deadlock the exit
        while os.read(0, 4096):
            pass
        os._exit(0)  # also in the middle of loading a model

    threading.Thread(target=wait, name="costeer-parent", daemon=True).start()
