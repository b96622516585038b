"""What the tests of the cloud share: a server on a real socket, models that count or wait,
a relay that counts and cuts, and a server that says exactly what it was told to."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from itertools import count
from types import SimpleNamespace
from typing import Any

import httpx2
import numpy as np
import numpy.typing as npt
import uvicorn.server

from costeer.cloud.base import CloudStep
from costeer.cloud.server.app import create_app
from costeer.models.fake import FakeModel
from costeer.serving import listen

# Nothing here speaks TLS, and loading the certificates would take 30 ms for each request.
http_get = partial(httpx2.get, verify=False)
http_post = partial(httpx2.post, verify=False)
# uvicorn sleeps for 0.1 s twice before it ends, and hundreds of servers end in these tests.
vars(uvicorn.server)["asyncio"] = SimpleNamespace(
    **vars(asyncio) | {"sleep": lambda seconds: asyncio.sleep(seconds / 10)}
)
PROMPT = list(b"a public question")


class CountingModel(FakeModel):
    """Counts evaluated tokens and the widths of its batches; can be slowed down."""

    def __init__(self, *args: Any, pause: float = 0.0, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.evaluated = 0
        self.widths: list[int] = []
        self.pause = pause

    def extend_many(
        self, work: Sequence[tuple[Any, ...]], rows: int | None = None
    ) -> list[npt.NDArray[Any]]:
        self.evaluated += sum(len(ids) for _, ids in work)
        self.widths.append(len(work))
        time.sleep(self.pause)
        return super().extend_many(work, rows)


class EndlessModel(CountingModel):
    """Never ends an answer by itself."""

    def logprobs(self, ids: Sequence[int]) -> npt.NDArray[Any]:
        row = super().logprobs(ids)
        row[257] = -np.inf
        return row


class FailingModel(CountingModel):
    """Breaks, in one way or another, once a sequence is ``at`` ids long."""

    def __init__(self, error: Any, at: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error, self.at = error, at

    def logprobs(self, ids: Sequence[int]) -> npt.NDArray[Any]:
        if len(ids) == self.at:
            if self.error is None:
                return np.full(self.vocab_size, np.nan, np.float32)
            raise self.error
        return super().logprobs(ids)


@contextmanager
def running(model: Any, **options: Any) -> Iterator[Any]:
    """Serve ``model`` from a thread; yields an object with ``url`` and ``scheduler``."""
    app = create_app(model, **options)
    ready = threading.Event()
    server = listen.uvicorn_server(app, ready.set, app.state.scheduler.close)
    with listen.bind("127.0.0.1", 0) as listening:
        app.url = listen.address(listening, "127.0.0.1")
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert ready.wait(10)
        app.scheduler, app.completions = app.state.scheduler, app.state.completions
        try:
            yield app
        finally:
            server.should_exit = True
            thread.join(10)
            assert not thread.is_alive()


def until(condition: Callable[..., Any], seconds: float = 5.0) -> bool:
    """Wait for ``condition``; False if it does not come."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.005)
    return False


def same(left: list[CloudStep], right: list[CloudStep]) -> bool:
    """Bit-identical steps."""
    return len(left) == len(right) and all(
        a.token == b.token
        and np.array_equal(a.top_ids, b.top_ids)
        and np.array_equal(a.top_logprobs, b.top_logprobs)
        for a, b in zip(left, right, strict=True)
    )


def receive_request(connection: Any) -> bytes:
    """Head and body of one HTTP request; b"" if the peer went away."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece:
            return b""
        data += piece
    head, _, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            return b""
        body += piece
    return head + b"\r\n\r\n" + body


class Listener:
    """A socket server with one thread for each connection."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._threads = []
        self._live = []
        self._numbers = count()

    def __enter__(self) -> Any:
        self._acceptor = threading.Thread(target=self._accept)
        self._acceptor.start()
        return self

    def __exit__(self, *_: Any) -> None:
        for connection in [self._socket, *self._live]:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._acceptor.join()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self._live.append(connection)
            arguments = (connection, next(self._numbers))
            thread = threading.Thread(target=self._serve, args=arguments, daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: Any, number: int) -> None:
        with connection, suppress(OSError):
            self.serve(connection, number)


class Relay(Listener):
    """Passes bytes on to ``target``, counts them, and cuts connections off.

    ``cuts[i]`` is how many bytes the i-th connection may bring down; None for no limit. ``edit``
    may change what comes down, but not its length.
    """

    def __init__(
        self, target: str, cuts: Any = (), edit: Callable[[bytes], bytes] = lambda piece: piece
    ) -> None:
        super().__init__()
        self._edit = edit
        self._target = int(target.rsplit(":", 1)[1])
        self._cuts = list(cuts)
        self.up = self.down = self.connections = 0

    def serve(self, connection: Any, number: int) -> None:
        self.connections += 1
        cut = self._cuts[number] if number < len(self._cuts) else None
        with socket.create_connection(("127.0.0.1", self._target)) as far:
            self._live.append(far)
            for end in (connection, far):  # as a network, it holds nothing back
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upward = threading.Thread(target=self._up, args=(connection, far), daemon=True)
            upward.start()
            self._down(connection, far, cut)
            for end in (connection, far):
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
            upward.join(5)

    def _up(self, near: Any, far: Any) -> None:
        with suppress(OSError):
            while piece := near.recv(65536):
                self.up += len(piece)
                far.sendall(piece)
            far.shutdown(socket.SHUT_WR)

    def _down(self, near: Any, far: Any, cut: int | None) -> None:
        while piece := far.recv(65536):
            if cut is not None:
                piece, cut = piece[:cut], cut - len(piece)
            near.sendall(self._edit(piece))
            self.down += len(piece)
            if cut is not None and cut <= 0:
                return


class Scripted(Listener):
    """Answers each request with the next of ``answers`` (bytes, or a function of the body).

    ``/v1/models`` is answered with ``models``; the last answer is repeated. Bodies are kept.
    """

    def __init__(self, *answers: Any, models: bytes | None = None) -> None:
        super().__init__()
        self._answers = list(answers)
        self._models = models or reply(200, {"object": "list", "data": [{"id": "m"}]})
        self.bodies = []
        self.heads = []

    def serve(self, connection: Any, number: int) -> None:
        request = receive_request(connection)
        if not request:
            return
        head, _, body = request.partition(b"\r\n\r\n")
        self.heads.append(head.decode())
        if head.startswith(b"GET"):
            connection.sendall(self._models)
            return
        asked = json.loads(body)
        self.bodies.append(asked)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        connection.sendall(answer(asked) if callable(answer) else answer)


def reply(status: int, body: Any, **headers: Any) -> bytes:
    """A whole HTTP answer with a JSON (or text) body, after which the connection closes."""
    raw = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} X", "content-type: application/json", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += [f"content-length: {len(raw)}", "", ""]
    return "\r\n".join(lines).encode() + raw


def events(*payloads: Any, done: bool = True) -> bytes:
    """A whole streamed answer that ends with the connection."""
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
    texts = [p if isinstance(p, str) else json.dumps(p) for p in payloads]
    return head + b"".join(f"data: {t}\n\n".encode() for t in [*texts, *["[DONE]"] * done])


def vllm_chunk(token: int, row: Any, finish: str | None = None) -> dict[str, Any]:
    """A chunk as vLLM writes it with return_tokens_as_token_ids."""
    logprobs = {
        "tokens": [f"token_id:{token}"],
        "token_logprobs": [row.get(token)],
        "top_logprobs": [{f"token_id:{i}": value for i, value in row.items()}],
        "text_offset": [0],
    }
    choice = {"index": 0, "text": "x", "logprobs": logprobs, "finish_reason": finish}
    return {"id": "cmpl-1", "object": "text_completion", "choices": [choice]}


def numbered(steps: Iterable[Any]) -> list[int]:
    return [step.token for step in steps]
