"""A gateway on a real socket, over the fake pair or over models that wait."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from costeer import Costeer
from costeer.cloud.in_process import InProcess
from costeer.exceptions import CloudUnreachableError
from costeer.gateway.answering import DeviceAnswering
from costeer.gateway.app import create_app
from costeer.gateway.ledger import ledger_json
from costeer.gateway.tokens import TokenStore
from costeer.models.fake import FakeModel
from costeer.serving import listen

HELLO = {"model": "costeer", "messages": [{"role": "user", "content": "Hello?"}], "max_tokens": 8}
CHAT = "/v1/chat/completions"


class TextModel(FakeModel):
    """Writes letters only, so that every token is text."""

    def logprobs(self, ids: Any) -> Any:
        from costeer.decoding.steering import log_softmax

        row = super().logprobs(ids)
        row[256:] = -20.0
        row[:97] -= 12.0
        row[123:256] -= 12.0
        return log_softmax(row)


class GatedModel(TextModel):
    """Reads nothing while ``gate`` is closed; counts what it has read."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.gate = threading.Event()
        self.gate.set()
        self.calls = 0

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        assert self.gate.wait(30)
        self.calls += 1
        return super().extend_many(work, rows)


class FailingCloud:
    """A cloud that fails after some tokens of every request."""

    def __init__(self, tokens: Any) -> None:
        self.inner, self.tokens = InProcess(TextModel(seed=1)), tokens

    def info(self) -> Any:
        return self.inner.info()

    def stream(
        self, prompt_ids: Any, top_k: Any, max_tokens: Any, *rest: Any, **options: Any
    ) -> Iterator[Any]:
        steps = self.inner.stream(prompt_ids, top_k, max_tokens)
        for _, step in zip(range(self.tokens), steps, strict=False):
            yield step
        raise CloudUnreachableError("The server is gone.", "Start it again.")

    def close(self) -> None:
        self.inner.close()


@contextmanager
def running_gateway(
    folder: Any,
    cloud: Any = None,
    slm: Any = None,
    context: Any = "I am vegan.",
    named: Any = None,
    make_page: Any = None,
    **options: Any,
) -> Iterator[Any]:
    """Serve from a thread; yields the application with ``url``, ``costeer`` and ``tokens``.

    ``make_page`` makes the page from the ``Costeer`` and the tokens.
    """
    chosen = {
        key: options.pop(key)
        for key in ("lanes", "strength", "mode", "epsilon", "guard")
        if key in options
    }

    def record(entry: Any) -> None:
        costeer.ledger.record(entry)

    cloud = InProcess(TextModel(seed=1), record) if cloud is None else cloud
    slm = slm or TextModel(seed=2)
    tokens = TokenStore(folder / "gateway")
    with Costeer(cloud, slm, **{"strength": 2.0} | chosen, keep_bytes=1 << 20) as costeer:
        answering = DeviceAnswering(costeer, lambda messages: context, named)
        ledger = lambda: ledger_json(costeer)  # noqa: E731
        page = make_page(costeer, tokens) if make_page else None
        app = create_app(answering, tokens, ledger=ledger, page=page, **options)
        ready = threading.Event()
        server = listen.uvicorn_server(app, ready.set, app.state.answers.close)
        with listen.bind("127.0.0.1", 0) as listening:
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
            thread.start()
            assert ready.wait(10)
            app.url = listen.address(listening, "127.0.0.1")
            app.costeer, app.tokens, app.server = costeer, tokens, server
            app.answers = app.state.answers
            app.client = httpx2.Client(base_url=app.url, timeout=60, verify=False)
            try:
                with app.client:
                    yield app
            finally:
                server.should_exit = True
                thread.join(20)
                assert not thread.is_alive()


def post(app: Any, body: Any, path: Any = CHAT, token: Any = None, **headers: Any) -> Any:
    """One request, answered whole."""
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return app.client.post(path, json=body, headers=headers)


def events(response: Any) -> Iterator[Any]:
    """The data of an event stream, without pings and ``[DONE]``."""
    for line in response.iter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield json.loads(line[6:])


def streamed(app: Any, body: Any, path: Any = CHAT, **headers: Any) -> Any:
    """All events of a streamed answer."""
    with app.client.stream("POST", path, json=body | {"stream": True}, headers=headers) as response:
        assert response.status_code == 200, response.read()
        return list(events(response))


def text_of(chunks: Any) -> Any:
    """The text of chat chunks."""
    return "".join(
        choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"]
    )


def asked(number: Any, **changes: Any) -> Any:
    """A body with a question of its own."""
    return HELLO | {"messages": [{"role": "user", "content": f"Question {number}?"}]} | changes


def under_way(app: Any) -> Any:
    """How many answers are under way."""
    return app.answers.metrics.under_way


def idle(app: Any) -> Any:
    """Whether no answer is under way, and no lane held."""
    return under_way(app) == 0 and app.costeer.lanes.busy == app.costeer.lanes.waiting == 0
