"""A relay that adds a network's delay, for the benchmarks.

    python bench/delay.py PORT

Prints the port it listens on; passes connections on to PORT of this machine. Each line on its
standard input is a new round trip time in milliseconds, for what is sent from then on. A new
connection costs one round trip before its first byte goes up, as a TCP handshake would.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
import time


class Relay:
    """Both directions of every connection, each byte half a round trip late."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.round_trip = 0.0  # seconds

    async def serve(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        """One connection, until either side closes it."""
        opened = time.monotonic() + self.round_trip
        far, out = await asyncio.open_connection("127.0.0.1", self._port)
        pumps = [
            asyncio.create_task(self._pump(near, out, opened)),
            asyncio.create_task(self._pump(far, back, 0.0)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for writer in (out, back):
            writer.close()

    async def _pump(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, opened: float
    ) -> None:
        """Copy what arrives, late; reading does not wait for the writing."""
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()
        writing = asyncio.create_task(_deliver(queue, target))
        try:
            while piece := await source.read(65536):
                due = max(time.monotonic(), opened) + self.round_trip / 2
                queue.put_nowait((due, piece))
        except OSError:
            pass
        queue.put_nowait((time.monotonic() + self.round_trip / 2, b""))
        await writing


async def _deliver(queue: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter) -> None:
    while True:
        due, piece = await queue.get()
        await asyncio.sleep(max(due - time.monotonic(), 0.0))
        if not piece:
            return
        try:
            target.write(piece)
            await target.drain()
        except OSError:
            return


async def main() -> None:
    """Serve until standard input ends."""
    relay = Relay(int(sys.argv[1]))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def listen() -> None:
        for line in sys.stdin:
            relay.round_trip = float(line) / 1000
            print("ok", flush=True)
        loop.call_soon_threadsafe(over.set)

    threading.Thread(target=listen, daemon=True).start()
    await over.wait()
    os._exit(0)  # with whatever connections are open


if __name__ == "__main__":
    asyncio.run(main())
