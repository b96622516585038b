"""A listener between device and server, and the search for private text in what it heard."""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Any


class Tap:
    """A TCP forwarder on loopback that keeps every byte sent up."""

    def __init__(self, target_port: Any) -> None:
        self._target = target_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._streams = []
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> Any:
        return f"http://127.0.0.1:{self.port}"

    @property
    def heard(self) -> Any:
        """Everything that went up, connection after connection."""
        return b"".join(bytes(stream) for stream in self._streams)

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: Any) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                device, _ = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            for end in (device, server):  # what comes is passed on at once
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            stream = bytearray()
            self._streams.append(stream)
            threading.Thread(target=pump, args=(device, server, stream), daemon=True).start()
            threading.Thread(target=pump, args=(server, device, None), daemon=True).start()


def pump(source: Any, target: Any, record: Any) -> None:
    """Copy bytes until the source ends."""
    try:
        while data := source.recv(65536):
            if record is not None:
                record += data
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def contains(haystack: bytes, needle: str, ids: Any = ()) -> Any:
    """Whether a text or its token ids, in any of JSON's spellings, occur in the bytes."""
    spellings = [needle.encode(), needle.encode("unicode_escape")]
    if ids:
        spellings += [",".join(map(str, ids)).encode(), ", ".join(map(str, ids)).encode()]
    return any(spelling in haystack for spelling in spellings)
