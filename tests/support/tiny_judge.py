"""A judge on a real socket: an OpenAI-compatible server whose answers a test decides."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str], "str | int"]
"""What the judge says to a prompt, or the status that it refuses with."""


class Server(ThreadingHTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Whoever asked has gone."""


class TinyJudge:
    """Answers until it is closed.

    Attributes:
        answer: may be exchanged at any time.
        prompts: what it was asked, in the order of coming.
        keys: of the requests, the header with the key.
        models: of the requests, the model asked for.
    """

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.prompts: list[str] = []
        self.keys: list[str | None] = []
        self.models: list[str] = []
        self._server = Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/v1"
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    def __enter__(self) -> TinyJudge:
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        judge = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                assert self.path == "/v1/chat/completions"
                prompt = body["messages"][0]["content"]
                judge.prompts.append(prompt)
                judge.keys.append(self.headers["authorization"])
                judge.models.append(body["model"])
                answer = judge.answer(prompt)
                status = answer if isinstance(answer, int) else 200
                message = {"message": {"content": answer}}
                content = json.dumps({"choices": [message]} if status == 200 else {}).encode()
                self.send_response(status)
                self.send_header("content-length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


def aspect(prompt: str) -> str:
    """Which of the two prompts it is."""
    return "overall" if "impartial evaluator" in prompt else "personal"


def toast(prompt: str) -> int:
    """The number in the query of ``tiny_runs.cogenesis``."""
    (number,) = re.findall(r"Write toast number (\d+)\.\n", prompt)
    return int(number)


def fair(prompt: str) -> str:
    """Overall 3 and the number of the toast; personal one more."""
    return f"Fine. Rating: [[{3 + toast(prompt) + (aspect(prompt) == 'personal')}]]"
