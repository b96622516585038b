"""What one client can cost the server: memory, time of the event loop, slots."""

from __future__ import annotations

import resource
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costeer.cloud.server.requests import Limits
from costeer.exceptions import InterruptedModelError
from costeer.models.fake import FakeTokenizer
from tests.support.serving import (
    PROMPT,
    CountingModel,
    EndlessModel,
    http_get,
    http_post,
    running,
    until,
)


def post(app: Any, body: Any) -> Any:
    return http_post(f"{app.url}/v1/completions", json=body, timeout=20)


def connect(app: Any) -> Any:
    host, port = app.url.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=10)


def resident() -> float:
    """MB of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


@pytest.fixture(scope="module")
def wide() -> Iterator[Any]:
    """A server with a vocabulary of a real size."""
    limits = Limits(spelled=400, whole=26_000)
    with running(EndlessModel(vocab_size=2_000, context_length=512), limits=limits) as app:
        yield app


def test_the_limits_are_a_vocabulary_and_some() -> None:
    assert Limits().spelled == 4096
    assert Limits().whole == 262_144


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"max_tokens": 10, "logprobs": 400}, 200),
        ({"max_tokens": 65, "logprobs": 400}, 200),
        ({"max_tokens": 66, "logprobs": 400}, 400),
        ({"max_tokens": 10**9, "logprobs": 50}, 200),  # the context is shorter
        ({"max_tokens": 1, "logprobs": 401}, 400),
        ({"max_tokens": 13, "logprobs": 2_000, "logprobs_encoding": "base64"}, 200),
        ({"max_tokens": 14, "logprobs": 2_000, "logprobs_encoding": "base64"}, 400),
    ],
)
def test_whole_answers_have_a_size(wide: Any, body: Any, status: int) -> None:
    answer = post(wide, {"prompt": PROMPT, **body})
    assert answer.status_code == status
    if status == 200:
        (choice,) = answer.json()["choices"]
        rows = choice["logprobs"].get("top") or choice["logprobs"]["tokens"]
        assert len(rows) == answer.json()["usage"]["completion_tokens"]
    else:
        assert answer.json()["error"]["param"] in {"logprobs", "max_tokens"}


@pytest.fixture
def wider() -> Iterator[Any]:
    with running(EndlessModel(vocab_size=5_000, context_length=512)) as app:
        yield app


@pytest.mark.slow
def test_a_wide_whole_answer_takes_little_memory(wider: Any) -> None:
    body = {"prompt": PROMPT, "max_tokens": 64, "logprobs": 4096}
    post(wider, body | {"max_tokens": 1})
    before, peak, over = resident(), [0.0], threading.Event()

    def look() -> None:
        while not over.wait(0.01):
            peak[0] = max(peak[0], resident())

    watching = threading.Thread(target=look)
    watching.start()
    assert len(http_post(f"{wider.url}/v1/completions", json=body, timeout=20).content) > 4e6
    over.set()
    watching.join()
    assert peak[0] - before < 100


@pytest.mark.slow
def test_a_wide_stream_does_not_run_far_ahead() -> None:
    model = EndlessModel(vocab_size=200_000, context_length=512)
    with running(model) as app, connect(app) as slow:
        body = f'{{"prompt": {PROMPT}, "max_tokens": 400, "stream": true, "logprobs": 200000'
        body += ', "logprobs_encoding": "base64"}'
        head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall((head + body).encode())
        assert until(lambda: model.evaluated > len(PROMPT))
        time.sleep(0.5)
        # 6 in the outbox, and what the sockets hold
        assert model.evaluated < len(PROMPT) + 20


def test_only_options_are_remembered() -> None:
    with running(CountingModel()) as app:
        junk = {"junk": [{}] * 1000, "stream_options": {"include_usage": False, "more": "x" * 999}}
        name = post(app, {"prompt": PROMPT, "max_tokens": 1, "logprobs": 3, **junk}).json()["id"]
        (response,) = app.completions.responses._known.values()
        assert response.options == {"logprobs": 3}
        again = {"continue": {"id": name, "keep": len(PROMPT)}, "max_tokens": 1}
        assert len(post(app, again).json()["choices"][0]["logprobs"]["top_logprobs"][0]) == 3
        assert post(app, {"prompt": PROMPT, "stop": "x" * 1001}).status_code == 400


class SlowTokenizer:
    """Takes long for long texts, as real ones do for odd ones."""

    def __init__(self, tokenizer: FakeTokenizer) -> None:
        self._tokenizer = tokenizer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def encode(self, text: str) -> list[int]:
        if len(text) > 1000:
            time.sleep(1)
        return self._tokenizer.encode(text)


@pytest.mark.slow
def test_a_long_text_does_not_stop_the_others() -> None:
    model = CountingModel()
    model.tokenizer = SlowTokenizer(model.tokenizer)
    with running(model) as app:
        asking = threading.Thread(target=post, args=(app, {"prompt": "a" * 5000}))
        asking.start()
        time.sleep(0.2)
        assert http_get(f"{app.url}/health").status_code == 200
        assert asking.is_alive()  # it is still being tokenized
        asking.join()
        model.tokenizer.encode = None  # a text too long in any tokenization is not tokenized
        refused = post(app, {"prompt": "a" * 100_000})
        assert refused.json()["error"]["code"] == "context_length_exceeded"


@pytest.mark.slow
def test_a_slow_reader_is_served_and_one_that_takes_nothing_is_not() -> None:
    model = EndlessModel(vocab_size=20_000, context_length=512)
    body = f'{{"prompt": {PROMPT}, "max_tokens": 8, "stream": true, "logprobs": 20000'
    body += ', "logprobs_encoding": "base64"}'
    head = "POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    with running(model, limits=Limits(stall_seconds=0.5)) as app:
        for pause, whole in ((0.01, True), (None, False)):
            with socket.socket() as reader:
                reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
                reader.connect(("127.0.0.1", int(app.url.rsplit(":", 1)[1])))
                reader.sendall((head + body).encode())
                if pause is None:
                    time.sleep(2)
                text = b""
                while piece := reader.recv(1 << 20):
                    text = (text + piece)[-20:]
                    time.sleep(pause or 0)
                assert (b"[DONE]" in text) == whole


class Thinking(CountingModel):
    """Reads a prompt until it is interrupted."""

    def __init__(self) -> None:
        super().__init__()
        self.enough = threading.Event()

    def interrupt(self) -> None:
        self.enough.set()

    def extend_many(self, work: Any, rows: Any = None) -> Any:
        self.evaluated += 1
        if self.enough.wait(20):
            raise InterruptedModelError("as asked")
        return super().extend_many(work, rows)


@pytest.mark.timeout(18)  # uninterrupted, the engine thinks for 20 s
def test_stopping_interrupts_the_engine_and_answers(caplog: pytest.LogCaptureFixture) -> None:
    answers = []
    model = Thinking()
    with running(model) as app:
        asking = [
            threading.Thread(target=lambda: answers.append(post(app, {"prompt": PROMPT})))
            for _ in range(3)
        ]
        for thread in asking:
            thread.start()
        assert until(lambda: model.evaluated)
        assert until(lambda: len(app.scheduler._queue) + app.scheduler.busy == 3)
    for thread in asking:
        thread.join()
    assert [answer.status_code for answer in answers] == [503] * 3
    assert not any(record.exc_info for record in caplog.records)
