"""The room's parts make a server that has nothing to do with language models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from costeer.exceptions import CoSteerError, InputError
from costeer.serving import listen
from costeer.serving.body import error_handler, json_response, read_json
from costeer.serving.errors import ApiError, api_error
from costeer.serving.event_stream import EventStream, watch
from costeer.serving.guard import LOOPBACK_NAMES, HostGuard
from tests.support.serving import until


class Counter:
    """Counts in events as far as it was told to, and notices who leaves."""

    def __init__(self) -> None:
        self.left = 0

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        upto = (await read_json(scope, receive, 100))["upto"]
        gone = asyncio.Event()
        watching = asyncio.create_task(watch(receive, gone.set))
        try:
            await EventStream(send, 5).run({"count": 0}, self.count(upto, gone))
        finally:
            watching.cancel()

    async def count(self, upto: Any, gone: Any) -> AsyncIterator[Any]:
        for count in range(1, upto):
            if gone.is_set():
                self.left += 1
                return
            yield {"count": count}
            await asyncio.sleep(0.01)
        if upto == 3:
            raise ApiError(500, "Three is too many.")


async def refuse(request: pytest.FixtureRequest) -> None:
    raise InputError("No.", "Do not ask.")


async def ready(request: pytest.FixtureRequest) -> Any:
    return json_response({"status": "ok"})


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    counter = Counter()
    app = Starlette(
        routes=[
            Route("/count", counter, methods=["POST"]),
            Route("/no", refuse),
            Route("/", ready),
        ],
        middleware=[Middleware(HostGuard, api_key="secret", hosts=LOOPBACK_NAMES)],
        exception_handlers=dict.fromkeys(
            (ApiError, HTTPException, CoSteerError), error_handler(api_error)
        ),
    )
    started = threading.Event()
    running = listen.uvicorn_server(app, started.set)
    with listen.bind("127.0.0.1", 0) as listening:
        thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        assert started.wait(10)
        headers = {"Authorization": "Bearer secret"}
        with httpx2.Client(
            base_url=listen.address(listening, "127.0.0.1"), headers=headers, verify=False
        ) as http:
            http.counter = counter
            yield http
        running.should_exit = True
        thread.join(10)


def test_events(server: Any) -> None:
    text = server.post("/count", json={"upto": 2}).text
    assert text == 'data: {"count":0}\n\ndata: {"count":1}\n\ndata: [DONE]\n\n'


def test_an_error_after_the_first_event_is_an_event(server: Any) -> None:
    assert "Three is too many." in server.post("/count", json={"upto": 3}).text


def test_a_client_that_leaves_is_noticed(server: Any) -> None:
    with server.stream("POST", "/count", json={"upto": 10**6}) as answer:
        next(answer.iter_raw())
    assert until(lambda: server.counter.left == 1)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/", {}, 200),
        ("/", {"Authorization": "Bearer guessed"}, 401),
        ("/", {"Host": "example.org"}, 400),
        ("/no", {}, 500),
        ("/nowhere", {}, 404),
    ],
)
def test_who_may_ask_and_what_errors_look_like(
    server: Any, path: Any, headers: Any, status: Any
) -> None:
    answer = server.get(path, headers=headers)
    assert answer.status_code == status
    assert status == 200 or answer.json()["error"]["message"]
