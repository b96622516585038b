"""A proxy that spoils what passes through it, by a plan that can be repeated.

It stands between a client and a server of ours on real sockets. Upward it knows where a request
ends, so that connections can be kept and each request has its own fault; downward bytes are opaque
to it, except that it finds the end of a head. It counts the faults that really happened: a cut
behind the end of an answer is none.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, repeat
from typing import Any

import pytest

from tests.support.serving import Listener, receive_request, reply

RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 seconds: close() sends RST
PAGE = "<html><body>Please log in. {}</body></html>"


def own(status: int, body: Any = "", **headers: Any) -> bytes:
    """An answer of the proxy's own, after which the connection is kept."""
    return reply(status, body, **headers).replace(b"connection: close\r\n", b"")


OWN = {
    "429": own(429),
    "429 wait": own(429, retry_after=0),
    "500": own(500, {"error": {"message": "sorry"}}),
    "502": own(502, "<html>Bad Gateway</html>"),
    "503": own(503, retry_after=0),
    "page": own(200, PAGE),
    "nonsense": own(200, 'data: {"choices": 5}\n\n').replace(
        b"application/json", b"text/event-stream"
    ),
}
"""What the proxy says instead of the server."""

KINDS = (
    "refuse",  # closed before a byte of the request is read (of the first: at once)
    "cut",  # closed after ``at`` bytes down
    "reset",  # the same with RST
    "stall",  # silent after ``at`` bytes down, until the client goes
    "noise",  # random bytes instead of an answer
    "insert",  # random bytes between the ``at`` bytes down and the rest
    "damage",  # bytes changed in place, ``at`` bytes into the body
    "drip",  # a few bytes at a time: no fault if the client is patient
    *OWN,
)
SLOW = frozenset({"stall", "drip"})  # cost time: in a mixture there are fewer of them


@dataclass(frozen=True)
class Fault:
    """What happens to one request."""

    kind: str
    at: int = 0
    noise: bytes = b""

    def __repr__(self) -> Any:
        return f"{self.kind}@{self.at}"


def mixture(seed: Any, *, spread: Any = 600, in_a_row: Any = 3) -> Iterator[Fault | None]:
    """Random faults without end; None lets a request through, at least after ``in_a_row``.

    Args:
        seed: of everything random.
        spread: faults happen within so many bytes.
        in_a_row: the most faults without a request let through.
    """
    rng = random.Random(seed)
    deck: list[str] = []
    while True:
        for _ in range(rng.randint(in_a_row - 1, in_a_row)):
            if not deck:  # every kind comes, the slow ones less often
                deck = [kind for kind in KINDS for _ in range(2 if kind in SLOW else 4)]
                rng.shuffle(deck)
            yield Fault(deck.pop(), rng.randrange(spread), garbage(rng))
        yield None


def garbage(rng: Any) -> Any:
    """Some bytes, none of them zero: combined with others, each changes them."""
    return bytes(rng.randint(1, 255) for _ in range(rng.randint(1, 40)))


class FaultProxy(Listener):
    """Passes requests on to ``target`` and does to the i-th what ``plan`` says.

    Args:
        target: the server's URL.
        plan: a fault or None for each request; after its end, all pass.
        enough: after so many faults that really happened, all pass.
        name: shown with the plan when a test fails, for instance the seed.
    """

    def __init__(
        self, target: Any, plan: Iterable[Fault | None] = (), enough: Any = None, name: Any = ""
    ) -> None:
        super().__init__()
        self._target = int(target.rsplit(":", 1)[1])
        self._plan = chain(plan, repeat(None))
        self._enough = enough
        self._name = name
        self._lock = threading.Lock()
        self._drawn: list[Fault | None] = []
        self.requests = 0
        self.happened: Counter[str] = Counter()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        super().__exit__()
        if kind is not None:
            print(f"{self._name}: {self.injected} faults: {dict(self.happened)}")
            print("plan:", *("-" if fault is None else fault for fault in self._drawn))

    @property
    def injected(self) -> Any:
        """How many faults have happened."""
        return sum(self.happened.values())

    def _draw(self) -> Any:
        with self._lock:
            over = self._enough is not None and self.injected >= self._enough
            self._drawn.append(None if over else next(self._plan))
            return self._drawn[-1]

    def _count(self, fault: Any) -> None:
        with self._lock:
            self.happened[fault.kind] += 1

    def serve(self, connection: Any, number: Any) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        fault = self._draw()
        if fault is not None and fault.kind == "refuse":
            self._count(fault)
            return
        with socket.create_connection(("127.0.0.1", self._target)) as far:
            far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._live.append(far)
            while request := receive_request(connection):
                self.requests += 1
                if not self._exchange(request, connection, far, fault):
                    return
                if not readable(connection):
                    return
                fault = self._draw()

    def _exchange(self, request: pytest.FixtureRequest, near: Any, far: Any, fault: Any) -> Any:
        """One request; whether the connection goes on."""
        if fault is not None and request.startswith(b"GET") and fault.kind == "damage":
            fault = None  # the list of models carries no checksum
        if fault is not None and fault.kind in {"refuse", "noise"}:
            self._count(fault)
            near.sendall(fault.noise if fault.kind == "noise" else b"")
            return False
        if fault is not None and fault.kind in OWN:
            self._count(fault)
            near.sendall(OWN[fault.kind])
            return True
        far.sendall(request)
        answer = Answer(near, fault, self._count)
        while True:
            ready, _, _ = select.select([near, far], [], [])
            if far not in ready:
                return readable(near)  # the client has all it wants
            piece = far.recv(65536)
            if not piece or not answer.forward(piece):
                return False


def readable(connection: Any) -> Any:
    """Wait for the client; False if it goes."""
    return bool(connection.recv(1, socket.MSG_PEEK))


class Answer:
    """One answer on its way down; ``count`` is told of its fault just before it shows."""

    def __init__(self, near: Any, fault: Any, count: Any) -> None:
        self._near = near
        self._fault = fault
        self._count = count
        self._sent = 0  # bytes of the server's
        self._head = b""
        self._body_at: int | None = None
        self._happened = False

    def forward(self, piece: Any) -> Any:
        """Send a piece, or what becomes of it; whether the answer goes on."""
        self._find_body(piece)
        begin, self._sent = self._sent, self._sent + len(piece)
        if self._fault is None:
            self._near.sendall(piece)
            return True
        return getattr(self, f"_{self._fault.kind}")(piece, self._fault.at - begin)

    def _happen(self) -> None:
        if not self._happened:
            self._happened = True
            self._count(self._fault)

    def _find_body(self, piece: Any) -> None:
        if self._body_at is None:
            self._head += piece
            end = self._head.find(b"\r\n\r\n")
            self._body_at = end + 4 if end >= 0 else None

    def _split(self, piece: Any, at: Any) -> Any:
        """Send what comes before the fault; the rest, or None if it is not reached yet."""
        if at >= len(piece) or self._happened:
            self._near.sendall(piece)
            return None
        self._happen()
        self._near.sendall(piece[:at])
        return piece[at:]

    def _cut(self, piece: Any, at: Any) -> Any:
        return self._split(piece, at) is None

    def _reset(self, piece: Any, at: Any) -> Any:
        if self._split(piece, at) is None:
            return True
        self._near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        return False

    def _stall(self, piece: Any, at: Any) -> Any:
        if self._split(piece, at) is None:
            return True
        return readable(self._near) and False

    def _insert(self, piece: Any, at: Any) -> Any:
        rest = self._split(piece, at)
        if rest is not None:
            self._near.sendall(self._fault.noise + rest)
        return True

    def _damage(self, piece: Any, _: Any) -> Any:
        spoilt = bytearray(piece)
        if self._body_at is not None:
            begin = self._sent - len(piece)
            for i, mask in enumerate(self._fault.noise[:4], self._body_at + self._fault.at):
                if begin <= i < self._sent:
                    spoilt[i - begin] ^= mask & 7 or 1  # mostly still the same kind of character
                    self._happen()
        self._near.sendall(spoilt)
        return True

    def _drip(self, piece: Any, _: Any) -> Any:
        self._happen()
        for i in range(0, len(piece), 97):
            self._near.sendall(piece[i : i + 97])
            time.sleep(0.0005)
        return True
