"""Odd requests to our own server on the fake model: what it answers, and what it costs it.

    python bench/fuzz_server.py [COUNT] [--seed N] [--json]

Bodies, framing, methods and headers that are valid, nearly valid and broken; sent whole, in pieces,
half, pipelined, and abandoned; over several connections at once, while ``/health`` is asked again
and again. Printed are the statuses, errors of the server's own, tracebacks in its log, memory and
open files before and after, free slots after, and the slowest ``/health``.
"""

from __future__ import annotations

import json
import random
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
from common import argument_parser, report

WORKERS = 6
MODEL_SLOTS = 4
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 3, 10**9, 1e308, 0.5, "", "x", "\ud800", "token_id:3", [], [0]),
    *([[1]], ["a", "b"], {}, {"id": "x"}, {"id": "cmpl-1", "keep": 3}, [320], [-1], [1.5], [True]),
)
FIELDS = (
    *("prompt", "max_tokens", "logprobs", "stream", "stop", "model", "temperature", "continue"),
    *("logprobs_encoding", "stream_options", "ignore_eos", "return_tokens_as_token_ids", "n"),
    *("echo", "logit_bias", "junk"),
)


class Fuzz:
    """Makes requests from a seed, and counts what comes back."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self.statuses: Counter[str] = Counter()

    def one(self) -> None:
        """One connection with one request, or a few in a row."""
        chance = self._random.random()
        raw = b"".join(self._request() for _ in range(3 if chance < 0.05 else 1))
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as peer:
            endless = b"chunked" in raw  # the chunks never end, and no answer is due
            peer.settimeout(1 if endless else 20)
            if chance > 0.97:  # half of it, and gone
                peer.sendall(raw[: len(raw) // 2])
                return self._count("left half-sent")
            if chance > 0.94:
                for piece in range(0, min(len(raw), 400), 40):
                    peer.sendall(raw[piece : piece + 40])
                raw = raw[400:]
            peer.sendall(raw)
            if chance > 0.92:
                peer.shutdown(socket.SHUT_WR)
            elif chance > 0.90:
                return self._count("left without reading")
            return self._read(peer, "endless, left" if endless else "no end in 20 s")
        return self._count("connection refused or reset")

    def _read(self, peer: socket.socket, late: str) -> None:
        """Read until the server closes (every request asks it to) and count the first status."""
        text = b""
        try:
            while piece := peer.recv(65536):
                text = text or piece
        except TimeoutError:
            return self._count(late)
        status = text.split(b" ", 2)[1:2] if text.startswith(b"HTTP/1.") else [b"no answer"]
        return self._count(b"".join(status).decode("latin-1"))

    def _count(self, what: str) -> None:
        self.statuses[what] += 1

    def _request(self) -> bytes:
        choose = self._random
        body = self._body()
        path = choose.choice(["/v1/completions"] * 8 + ["/v1/models", "/health", "/../etc/passwd"])
        method = choose.choice(["POST"] * 12 + ["GET", "DELETE", "OPTIONS", "P\x00ST"])
        headers = [
            f"Host: {choose.choice(['localhost', '127.0.0.1:99999', '[::1]', 'evil.example'])}"
            if choose.random() < 0.05
            else "Host: localhost",
            "Content-Type: " + ("application/json" if choose.random() < 0.95 else "text/plain"),
            "Connection: close",
            self._length(len(body)),
        ]
        if choose.random() < 0.05:
            headers.append(choose.choice(["Origin: http://evil", "X: " + "y" * 9000, "bad header"]))
        head = "\r\n".join([f"{method} {path} HTTP/1.1", *headers, "", ""]).encode("latin-1")
        return head + body

    def _length(self, length: int) -> str:
        if self._random.random() < 0.95:
            return f"Content-Length: {length}"
        odd = ("Content-Length: -1", "Content-Length: 9, 8", "Transfer-Encoding: chunked", "X: 1")
        return self._random.choice([*odd, f"Content-Length: {length // 2}"])

    def _body(self) -> bytes:
        choose = self._random
        if choose.random() < 0.2:
            raw = [
                b"",
                b"{",
                b"[]",
                b"nul",
                b"[" * 9999,
                choose.randbytes(99),
                b'{"prompt": 1e999}',
            ]
            return choose.choice(raw)
        body: dict[str, Any] = {"prompt": [choose.randrange(320) for _ in range(9)]}
        body["max_tokens"] = choose.choice([1, 2, 7, 20])
        for _ in range(choose.randrange(4)):
            body[choose.choice(FIELDS)] = choose.choice(ODD)
        if choose.random() < 0.3:
            body["stream"] = True
        if choose.random() < 0.01:
            body["junk"] = [{}] * 50_000
        return json.dumps(body).encode()


class Process:
    """The server as a process of its own."""

    def __init__(self, log: Path) -> None:
        command = [sys.executable, "-m", "costeer", "serve", "--model", "fake", "--port", "0"]
        with log.open("wb") as sink:
            self._process = subprocess.Popen(
                [*command, "--context", "512", "--exit-with-parent"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=sink,
            )
        assert self._process.stdout
        self.port = int(self._process.stdout.readline().rsplit(b":", 1)[1])
        self.url = f"http://127.0.0.1:{self.port}"

    def megabytes(self) -> float:
        """Resident memory."""
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        return float("nan")

    def files(self) -> int:
        """Open files."""
        return len(list(Path(f"/proc/{self._process.pid}/fd").iterdir()))

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        with self._process:  # waits, and closes the pipes
            pass


class Health:
    """Asks ``/health`` all the time, and keeps the longest answer."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/health"
        self._over = threading.Event()
        self.slowest = 0.0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with httpx2.Client() as client:
            while not self._over.wait(0.05):
                began = time.perf_counter()
                client.get(self._url, timeout=60)
                self.slowest = max(self.slowest, time.perf_counter() - began)

    def stop(self) -> None:
        """End."""
        self._over.set()
        self._thread.join()


def free_slots(url: str) -> int:
    """How many answers can be had at once."""
    body = {"prompt": [1, 2, 3], "max_tokens": 5, "ignore_eos": True}
    answers = []

    def ask() -> None:
        with suppress(httpx2.HTTPError):
            answers.append(httpx2.post(f"{url}/v1/completions", json=body, timeout=5).status_code)

    threads = [threading.Thread(target=ask) for _ in range(MODEL_SLOTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers.count(200)


def attack(count: int, seed: int, log: Path) -> dict[str, Any]:
    """Send ``count`` odd requests; figures."""
    server = Process(log)
    try:
        free_slots(server.url)  # what is made when first used
        before = server.megabytes(), server.files()
        health = Health(server.url)
        fuzzes = [Fuzz(server.port, seed + i) for i in range(WORKERS)]
        began = time.perf_counter()

        def work(fuzz: Fuzz, share: int) -> None:
            for _ in range(share):
                fuzz.one()

        shares = [count // WORKERS + (i < count % WORKERS) for i in range(WORKERS)]
        pairs = zip(fuzzes, shares, strict=True)
        threads = [threading.Thread(target=work, args=pair) for pair in pairs]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        health.stop()
        seconds = time.perf_counter() - began
        end = time.monotonic() + 5  # the last connections are closed
        while server.files() > before[1] and time.monotonic() < end:
            time.sleep(0.05)
        statuses = sum((fuzz.statuses for fuzz in fuzzes), Counter[str]())
        return {
            "requests": statuses.total(),
            "seconds": round(seconds),
            "statuses": dict(statuses.most_common()),
            "5xx": sum(n for status, n in statuses.items() if status.startswith("5")),
            "hangs": statuses["no end in 20 s"],
            "tracebacks": log.read_text("utf-8", "replace").count("Traceback"),
            "log_bytes": log.stat().st_size,
            "megabytes": [round(before[0]), round(server.megabytes())],
            "files": [before[1], server.files()],
            "free_slots": free_slots(server.url),
            "slowest_health_seconds": round(health.slowest, 3),
        }
    finally:
        server.stop()


def main() -> None:
    """Attack and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("count", type=int, nargs="?", default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path("fuzz_server.log"))
    options = parser.parse_args()
    found = attack(options.count, options.seed, options.log)
    report(found, options.json)


if __name__ == "__main__":
    main()
