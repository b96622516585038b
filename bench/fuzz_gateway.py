"""Odd requests to the gateway on the toy models: what it answers, and what it costs it.

    python bench/fuzz_gateway.py [COUNT] [--schemathesis PROGRAM] [--by-schema N] [--json]

With PROGRAM, the command line of schemathesis, N of the requests are made from the JSON schema of
the installed ``openai`` package's types, valid and invalid ones. The others are bodies that the
gateway understands, of which some bytes were changed, removed or doubled; some clients go away
half-way. Printed are the statuses, status 5xx, requests
without an end, tracebacks in the log, and before and after: memory, threads, open files, answers
under way. At the end both lanes still write.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
from fuzz_server import Health, Process

WORKERS = 6
GATEWAY = (
    *("gateway", "--llm", "fake:1", "--slm", "fake:2", "--context", "I am vegan.", "--port", "0"),
    *("--max-tokens", "4", "--queue", "64", "--metrics"),
)
PATHS = {"/v1/chat/completions": "messages", "/v1/responses": "input"}
TURNS = [{"role": "user", "content": "Hello?"}]
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
FIELDS: tuple[dict[str, Any], ...] = (
    {"stream": True},
    {"stream": True, "stream_options": {"include_usage": True}},
    {"logprobs": True, "top_logprobs": 5},
    {"temperature": 0.7, "top_p": 0.9, "seed": 1},
    {"stop": ["x", "\u00e9"]},
    {"tools": [TOOL], "tool_choice": "auto"},
    {"costeer": {"strength": 0.5, "context": "I like cats."}},
    {"costeer": {"trace": True, "beginning": [104, 105]}},
    {"response_format": {"type": "text"}},
    {"model": "costeer/off"},
)


class Mutations:
    """Sends bodies with changed bytes, from a seed, and counts what comes back."""

    def __init__(self, port: int, seed: int) -> None:
        self._port = port
        self._random = random.Random(seed)
        self.statuses: Counter[str] = Counter()

    def one(self) -> None:
        """One request on a connection of its own."""
        head, body = self._request()
        with suppress(OSError), socket.create_connection(("127.0.0.1", self._port)) as peer:
            peer.settimeout(30)
            if self._random.random() < 0.05:
                peer.sendall((head + body)[: self._random.randrange(len(head + body))])
                return self._count("left half-sent")
            peer.sendall(head + body)
            if self._random.random() < 0.05:
                peer.recv(20)
                return self._count("left half-read")
            return self._read(peer)
        return self._count("connection reset")

    def _read(self, peer: socket.socket) -> None:
        text = b""
        try:
            while piece := peer.recv(65536):
                text = text or piece
        except TimeoutError:
            return self._count("no end in 30 s")
        status = text.split(b" ", 2)[1:2] if text.startswith(b"HTTP/1.") else [b"no answer"]
        return self._count(b"".join(status).decode("latin-1"))

    def _count(self, what: str) -> None:
        self.statuses[what] += 1

    def _request(self) -> tuple[bytes, bytes]:
        path, name = self._random.choice(list(PATHS.items()))
        body: dict[str, Any] = {"model": "costeer", name: TURNS}
        for _ in range(self._random.randrange(3)):
            body |= self._random.choice(FIELDS)
        raw = self._mutate(bytearray(json.dumps(body, ensure_ascii=False).encode()))
        head = (
            f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            f"Connection: close\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        return head.encode(), raw

    def _mutate(self, raw: bytearray) -> bytes:
        choose = self._random
        for _ in range(choose.choice([0, 1, 1, 1, 2, 5])):
            at, span = choose.randrange(len(raw)), choose.choice([1, 1, 1, 4, 30])
            change = choose.randrange(4)
            if change == 0:
                raw[at : at + 1] = bytes([choose.randrange(256)])
            elif change == 1:
                raw[at:at] = raw[at : at + span]
            elif change == 2:
                raw[at:at] = choose.choice([b"\x00", b"\\ud800", b"9" * 400, b"[" * 900, b"1e999"])
            elif len(raw) > span:
                del raw[at : at + span]
        return bytes(raw)


def specification() -> dict[str, Any]:
    """OpenAPI of both endpoints, from the types of the openai package."""
    from openai.types.chat import completion_create_params as chat  # noqa: PLC0415 - an extra
    from openai.types.responses import response_create_params as responses  # noqa: PLC0415
    from pydantic import TypeAdapter  # noqa: PLC0415

    kinds = (chat.CompletionCreateParamsNonStreaming, responses.ResponseCreateParamsNonStreaming)
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for path, kind in zip(PATHS, kinds, strict=True):
        prefix = path.rsplit("/", 1)[1]
        template = f"#/components/schemas/{prefix}.{{model}}"
        schema = TypeAdapter(kind).json_schema(ref_template=template)
        schemas |= {f"{prefix}.{name}": one for name, one in schema.pop("$defs", {}).items()}
        schema["properties"]["model"] = {"enum": ["costeer", "costeer/off"]}
        content = {"application/json": {"schema": schema}}
        paths[path] = {
            "post": {
                "requestBody": {"required": True, "content": content},
                "responses": {"200": {"description": "an answer"}},
            }
        }
    info = {"title": "gateway", "version": "1"}
    return {
        "openapi": "3.1.0", "info": info, "paths": paths, "components": {"schemas": schemas},
    }  # fmt: skip


def by_schema(program: str, url: str, count: int, seed: int) -> dict[str, Any]:
    """Let schemathesis send about ``count`` requests; what it says."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "openapi.json")
        file.write_text(json.dumps(specification()), "utf-8")
        done = subprocess.run(
            [program, "run", str(file), "--url", url, "--checks", "not_a_server_error",
             "--phases", "fuzzing", "-n", str(count // len(PATHS)), "--seed", str(seed),
             "--workers", "2", "--request-timeout", "30", "--no-color",
             "--suppress-health-check", "all"],
            cwd=folder, capture_output=True, text=True, check=False,
        )  # fmt: skip
    summary = done.stdout[done.stdout.find("SUMMARY") :] or done.stdout + done.stderr
    return {"exit status": done.returncode, "summary": " ".join(summary.split())[:600]}


def by_mutation(port: int, count: int, seed: int) -> Counter[str]:
    """Send ``count`` mutated bodies; the statuses."""
    makers = [Mutations(port, seed + number) for number in range(WORKERS)]

    def work(maker: Mutations) -> None:
        for _ in range(-(-count // WORKERS)):
            maker.one()

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(work, makers))
    return sum((maker.statuses for maker in makers), Counter())


def metric(url: str, pattern: str) -> int:
    """The sum of a metric."""
    text = httpx2.get(f"{url}/metrics").text
    return sum(int(value) for value in re.findall(rf"^{pattern}.* (\d+)$", text, re.MULTILINE))


def write_on_both_lanes(url: str) -> int:
    """How many of two answers at once are written."""
    body = {"model": "costeer", "messages": TURNS}

    def ask(_: int) -> int:
        return httpx2.post(f"{url}/v1/chat/completions", json=body, timeout=30).status_code

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(ask, range(2))).count(200)


def attack(options: argparse.Namespace) -> dict[str, Any]:
    """Send everything; figures."""
    os.environ["COSTEER_GATEWAY"] = tempfile.mkdtemp()
    server = Process(options.log, GATEWAY)
    try:
        by_mutation(server.port, 300, 10**6)  # what is made when first used
        wait_until_idle(server)
        before, began = state(server), time.perf_counter()
        health = Health(server.url)
        found: dict[str, Any] = {}
        by = options.by_schema if options.schemathesis else 0
        if by:
            found["schemathesis"] = by_schema(options.schemathesis, server.url, by, options.seed)
        statuses = by_mutation(server.port, options.count - by, options.seed)
        health.stop()
        wait_until_idle(server)
        log = options.log.read_text("utf-8", "replace")
        return found | {
            "seconds": round(time.perf_counter() - began),
            "statuses of mutated bodies": dict(statuses.most_common()),
            "answered requests, all": metric(server.url, "costeer_requests_total"),
            "status 5xx, all": metric(server.url, r'costeer_requests_total\{.*status="5'),
            "without an end": statuses["no end in 30 s"],
            "tracebacks": log.count("Traceback"),
            "MB, threads, files before": before,
            "MB, threads, files after": state(server),
            "answers under way after": metric(server.url, "costeer_answers"),
            "lanes that write after": write_on_both_lanes(server.url),
            "slowest /health, s": round(health.slowest, 3),
        }
    finally:
        server.stop()


def state(server: Process) -> list[int]:
    """Megabytes, threads and open files."""
    return [round(server.megabytes()), server.threads(), server.files()]


def wait_until_idle(server: Process) -> None:
    """Wait until nothing is under way, at most 30 s."""
    end = time.monotonic() + 30
    while metric(server.url, "costeer_answers") and time.monotonic() < end:
        threading.Event().wait(0.1)


def main() -> None:
    """Attack and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--schemathesis", metavar="PROGRAM")
    parser.add_argument("--by-schema", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=Path, default=Path("fuzz_gateway.log"))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = attack(options)
    if options.json:
        print(json.dumps(found))
        return
    for name, value in found.items():
        print(f"{name:28} {value}")


if __name__ == "__main__":
    main()
