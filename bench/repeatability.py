"""Whether an answer depends on anything but its question: repeated, interrupted, and beside others.

    python bench/repeatability.py [--repeats N] [--kills N] [--max-tokens N] [--json]

The default pair over a socket, with the guide and ``auto``. One query is asked again and again on
one server, with another query in between; then with a server that is killed (SIGKILL) in the
middle of the answer and started anew on the same port; then by four devices at once. Counted is
how many texts equal the first one, which a fresh server gave.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from itertools import islice

from common import LLM, SLM, argument_parser, pairs, report

from costeer.cloud.client.completions import CompletionsClient
from costeer.edge.runtime import Costeer
from costeer.models.load import load_model
from costeer.serving.listen import bind

READY = "listening on "
DEVICES = 4


class Server:
    """``costeer serve`` on one port, which can be killed and started anew."""

    def __init__(self) -> None:
        with bind("127.0.0.1", 0) as found:
            self.port: int = found.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._start()

    def _start(self) -> None:
        command = [sys.executable, "-m", "costeer", "serve", "--model", LLM]
        command += ["--port", str(self.port), "--context", "1024", "--exit-with-parent"]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout
        for line in self._process.stdout:
            if line.decode().startswith(READY):
                return
        raise SystemExit("The server did not start.")

    def restart(self) -> None:
        """Kill it without warning, and start it anew."""
        self.kill()
        self._start()

    def kill(self) -> None:
        """End it at once."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()


def device(url: str) -> Costeer:
    """One device with its own copy of the small model."""
    cloud = CompletionsClient(url, retries=30)
    return Costeer(cloud=cloud, slm=load_model(SLM, context=1024, threads=1), guard="off")


def write(costeer: Costeer, query: str, context: str, tokens: int) -> tuple[int, ...]:
    """The token ids of one answer."""
    return tuple(costeer.generate(query, context, max_tokens=tokens).token_ids)


def interrupted(
    server: Server, costeer: Costeer, query: str, context: str, tokens: int, at: int
) -> tuple[int, ...]:
    """One answer; the server is killed after ``at`` tokens."""
    generation = costeer.stream(query, context, max_tokens=tokens)
    for count, _ in enumerate(generation, 1):
        if count == at:
            server.restart()
    return tuple(generation.result.token_ids)


def beside(url: str, work: list[tuple[str, str]], tokens: int) -> list[tuple[int, ...]]:
    """The answers to each of ``work``, all at once, each on a device of its own."""
    answers: dict[int, tuple[int, ...]] = {}

    def one(number: int) -> None:
        with device(url) as costeer:
            answers[number] = write(costeer, *work[number], tokens)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(len(work))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [answers.get(number, ()) for number in range(len(work))]


def measure(repeats: int, kills: int, tokens: int) -> dict[str, str]:
    """Each comparison as "equal of all"."""
    work = list(islice(pairs(), DEVICES))
    server = Server()
    try:
        with device(server.url) as costeer:
            alone = [write(costeer, *each, tokens) for each in work]
            same = 0
            for turn in range(repeats):
                same += write(costeer, *work[0], tokens) == alone[0]
                if turn % 4 == 3:
                    write(costeer, *work[1 + turn % 3], tokens // 2)
            found = {"asked again": f"{same} of {repeats}"}
            same = 0
            for turn in range(kills):
                at = 1 + turn * (tokens - 2) // max(kills, 1)
                number = turn % DEVICES
                same += interrupted(server, costeer, *work[number], tokens, at) == alone[number]
            found["killed and started anew"] = f"{same} of {kills}"
        together = [beside(server.url, work, tokens) for _ in range(2)]
        same = sum(a == b for round_ in together for a, b in zip(round_, alone, strict=True))
        found["four at once"] = f"{same} of {2 * DEVICES}"
    finally:
        server.kill()
    return found


def main() -> None:
    """Measure and print."""
    parser = argument_parser(__doc__)
    parser.add_argument("--repeats", type=int, default=20)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--max-tokens", type=int, default=32)
    options = parser.parse_args()
    found = measure(options.repeats, options.kills, options.max_tokens)
    report(found, options.json)


if __name__ == "__main__":
    main()
