"""The routes of the server, on a real socket."""

from __future__ import annotations

import json
import logging
import socket
import threading
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from costeer.cloud.in_process import InProcess
from costeer.cloud.server.requests import Limits
from costeer.cloud.wire import logprobs as wire
from costeer.models.fake import END, FakeModel
from costeer.serving import listen
from tests.support.serving import (
    PROMPT,
    CountingModel,
    EndlessModel,
    FailingModel,
    http_get,
    http_post,
    running,
    until,
)


@pytest.fixture(scope="module")
def fake() -> Iterator[Any]:
    """A server for everything that leaves no trace in it."""
    limits = Limits(body_bytes=20_000, prompt_tokens=200, logprobs=100, max_tokens=100)
    with running(CountingModel(), limits=limits) as app:
        yield app


def post(app: Any, body: Any, **headers: Any) -> Any:
    return http_post(f"{app.url}/v1/completions", json=body, headers=headers)


def chunks(text: str) -> Any:
    lines = [line for line in text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line[6:]) for line in lines[:-1]]


def test_whole_answer(fake: Any) -> None:
    answer = post(fake, {"prompt": PROMPT, "max_tokens": 6, "logprobs": 3}).json()
    steps = list(InProcess(FakeModel()).stream(PROMPT, 3, 6))
    choice = answer["choices"][0]
    assert answer["object"] == "text_completion"
    assert choice["finish_reason"] == "length"
    assert choice["logprobs"]["token_logprobs"] == [float(s.top_logprobs[0]) for s in steps]
    assert [list(row.values()) for row in choice["logprobs"]["top_logprobs"]] == [
        s.top_logprobs.tolist() for s in steps
    ]
    assert answer["usage"]["prompt_tokens"] == len(PROMPT)
    assert answer["usage"]["total_tokens"] == len(PROMPT) + 6


def test_no_further_log_probabilities_are_those_of_the_chosen_token(fake: Any) -> None:
    answer = post(fake, {"prompt": PROMPT, "max_tokens": 3, "logprobs": 0}).json()
    logprobs = answer["choices"][0]["logprobs"]
    steps = list(InProcess(FakeModel()).stream(PROMPT, 1, 3))
    assert logprobs["token_logprobs"] == [float(s.top_logprobs[0]) for s in steps]
    assert logprobs["top_logprobs"] == [{}] * 3


def test_stream_and_whole_agree(fake: Any) -> None:
    body = {"prompt": PROMPT, "max_tokens": 9, "logprobs": 2, "return_tokens_as_token_ids": True}
    whole = post(fake, body).json()["choices"][0]
    parts = chunks(post(fake, body | {"stream": True}).text)
    choices = [part["choices"][0] for part in parts]
    assert len(choices) == 9
    assert "".join(c["text"] for c in choices) == whole["text"]
    for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
        assert [c["logprobs"][name][0] for c in choices] == whole["logprobs"][name]
    assert [c["finish_reason"] for c in choices] == [None] * 8 + ["length"]
    assert all(token.startswith("token_id:") for token in whole["logprobs"]["tokens"])


def test_compact_logprobs_are_exact(fake: Any) -> None:
    body = {"prompt": PROMPT, "max_tokens": 5, "logprobs": 7, "logprobs_encoding": "base64"}
    logprobs = post(fake, body).json()["choices"][0]["logprobs"]
    for step, packed in zip(
        InProcess(FakeModel()).stream(PROMPT, 7, 5), logprobs["top"], strict=True
    ):
        ids, values = wire.decode(packed)
        assert ids.tolist() == step.top_ids.tolist()
        assert np.array_equal(values, step.top_logprobs)


def test_usage_chunk(fake: Any) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    last = chunks(post(fake, {"prompt": "hi", "max_tokens": 3} | options).text)[-1]
    assert last["choices"] == []
    assert last["usage"]["completion_tokens"] == 3


@pytest.mark.slow
def test_end_of_text_is_a_step_and_can_be_ignored() -> None:
    model = next(m for m in map(seeded, range(50)) if first_end(m) is not None)
    at = first_end(model)
    with running(seeded(model)) as app:
        body = {"prompt": PROMPT, "max_tokens": at + 5, "logprobs": 1}
        body["return_tokens_as_token_ids"] = True
        choice = post(app, body).json()["choices"][0]
        assert choice["finish_reason"] == "stop"
        assert choice["logprobs"]["tokens"][at:] == [f"token_id:{END}"]
        longer = post(app, body | {"ignore_eos": True}).json()["choices"][0]
        assert longer["finish_reason"] == "length"
        assert len(longer["logprobs"]["tokens"]) == at + 5


def seeded(seed: FakeModel | int) -> FakeModel:
    return FakeModel(seed=seed if isinstance(seed, int) else int(seed.name.split("-")[1]))


def first_end(model: FakeModel) -> int | None:
    tokens = [step.token for step in InProcess(model).stream(PROMPT, 1, 60)]
    return tokens.index(END) if END in tokens else None


def test_stop_text_ends_the_answer(fake: Any) -> None:
    body = {"prompt": PROMPT, "max_tokens": 60}
    text = post(fake, body).json()["choices"][0]["text"]
    stop = text[2:4]
    choice = post(fake, body | {"stop": stop}).json()["choices"][0]
    assert choice["text"] == text[: text.index(stop)]
    assert choice["finish_reason"] == "stop"
    assert until(lambda: fake.scheduler.busy == 0)


SECRET = "sesame-9137"
BAD = [
    ({"prompt": []}, 400, "prompt"),
    ({"prompt": ""}, 400, "prompt"),
    ({"prompt": [[1], [2]]}, 400, "prompt"),
    ({"prompt": [True]}, 400, "prompt"),
    ({"prompt": [1.5]}, 400, "prompt"),
    ({"prompt": [-1]}, 400, "prompt"),
    ({"prompt": [320]}, 400, "prompt"),
    ({"prompt": [10**30]}, 400, "prompt"),
    ({"prompt": [1] * 201}, 400, "prompt"),
    ({"prompt": {"text": SECRET}}, 400, "prompt"),
    ({"prompt": SECRET, "max_tokens": 0}, 400, "max_tokens"),
    ({"prompt": SECRET, "max_tokens": 101}, 400, "max_tokens"),
    ({"prompt": SECRET, "max_tokens": SECRET}, 400, "max_tokens"),
    ({"prompt": SECRET, "logprobs": 101}, 400, "logprobs"),
    ({"prompt": SECRET, "logprobs": True}, 400, "logprobs"),
    ({"prompt": SECRET, "temperature": 0.7}, 400, "temperature"),
    ({"prompt": SECRET, "n": 2}, 400, "n"),
    ({"prompt": SECRET, "best_of": 2}, 400, "best_of"),
    ({"prompt": SECRET, "echo": True}, 400, "echo"),
    ({"prompt": SECRET, "logit_bias": {"1": 2}}, 400, "logit_bias"),
    ({"prompt": SECRET, "frequency_penalty": 1}, 400, "frequency_penalty"),
    ({"prompt": SECRET, "stop": [1]}, 400, "stop"),
    ({"prompt": SECRET, "stop": ["x"] * 17}, 400, "stop"),
    ({"prompt": SECRET, "stream": "yes"}, 400, "stream"),
    ({"prompt": SECRET, "stream_options": 1}, 400, "stream_options"),
    ({"prompt": SECRET, "logprobs_encoding": "hex"}, 400, "logprobs_encoding"),
    ({"prompt": SECRET, "model": "other"}, 404, "model"),
]


@pytest.mark.parametrize(("body", "status", "param"), BAD, ids=[str(i) for i in range(len(BAD))])
def test_bad_requests(fake: Any, body: Any, status: int, param: str) -> None:
    answer = post(fake, body)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"]) == (status, param)
    assert error["type"] == "invalid_request_error"
    assert SECRET not in answer.text


def test_half_a_surrogate_pair_is_replaced(fake: Any) -> None:
    raw = b'{"prompt": "\\ud800", "max_tokens": 1}'
    headers = {"content-type": "application/json"}
    answer = http_post(f"{fake.url}/v1/completions", content=raw, headers=headers)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        ("GET", "/nowhere", {}, 404),
        ("GET", "/v1/completions", {}, 405),
        ("POST", "/v1/models", {}, 405),
        ("POST", "/v1/completions", {"data": {"prompt": "x"}}, 415),
        ("POST", "/v1/completions", {"json": [1]}, 400),
        ("POST", "/v1/completions", {"json": {"prompt": "x" * 30_000}}, 413),
        ("GET", "/health", {"headers": {"host": "evil.example"}}, 400),
    ],
)
def test_every_error_has_the_envelope(
    fake: Any, method: str, path: str, options: Any, status: int
) -> None:
    answer = httpx2.request(method, fake.url + path, verify=False, **options)
    assert answer.status_code == status
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"", b"[" * 15_000])
def test_broken_json(fake: Any, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    answer = http_post(f"{fake.url}/v1/completions", content=body, headers=headers)
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_a_body_of_unknown_length_is_limited(fake: Any) -> None:
    pieces = (b" " * 5_000 for _ in range(20))
    headers = {"content-type": "application/json"}
    try:
        answer = http_post(f"{fake.url}/v1/completions", content=pieces, headers=headers)
    except httpx2.TransportError:
        return  # the connection was closed before we had sent everything: just as good
    assert answer.status_code == 413


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:80", "127.0.0.1:1", "[::1]:8081"])
def test_loopback_names_are_welcome(fake: Any, host: str) -> None:
    assert http_get(f"{fake.url}/health", headers={"host": host}).status_code == 200


def test_models(fake: Any) -> None:
    card = http_get(f"{fake.url}/v1/models").json()["data"][0]
    assert card["id"] == "fake-0"
    assert card["costeer"] == {
        "tokenizer_fingerprint": FakeModel().tokenizer.vocabulary.fingerprint,
        "vocab_size": 320,
        "remembered_steps": 64,
        "context_length": 4096,
        "eos_ids": [257],
        "max_logprobs": 100,
        "continue": True,
        "repeatable": True,
    }


def test_api_key() -> None:
    with running(FakeModel(), api_key="key-1", hosts=None) as app:
        url = f"{app.url}/v1/models"
        for headers in ({}, {"authorization": "Bearer key-2"}, {"authorization": "key-1"}):
            answer = http_get(url, headers=headers)
            assert answer.status_code == 401
            assert answer.json()["error"]["code"] == "invalid_api_key"
        assert http_get(url, headers={"authorization": "Bearer key-1"}).status_code == 200
        assert http_get(f"{app.url}/health", headers={"host": "any.example"}).status_code == 200


@pytest.mark.slow
def test_disconnected_clients_free_their_slot_within_a_token() -> None:
    model = EndlessModel(pause=0.01, max_sequences=1)
    with running(model) as app:
        for stream in (True, False):
            raw = json.dumps({"prompt": PROMPT, "max_tokens": 4000, "stream": stream}).encode()
            with socket.create_connection(("127.0.0.1", int(app.url.rsplit(":", 1)[1]))) as sock:
                sock.sendall(
                    b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
                    b"application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(raw), raw)
                )
                assert until(lambda: app.scheduler.busy == 1)
                assert not stream or sock.recv(1000)
            assert until(lambda: app.scheduler.busy == 0)
            calls = len(model.widths)
            post(app, {"prompt": [int(stream)], "max_tokens": 1})
            assert len(model.widths) == calls + 1


def test_too_many_at_once() -> None:
    limits = Limits(queue=0)
    with running(EndlessModel(pause=0.01, max_sequences=1), limits=limits) as app:
        body = {"prompt": PROMPT, "max_tokens": 4000, "stream": True}
        with httpx2.stream("POST", f"{app.url}/v1/completions", json=body, verify=False) as first:
            pieces = first.iter_bytes()  # kept: dropping it would close the connection
            next(pieces)
            answer = post(app, {"prompt": PROMPT})
            assert answer.status_code == 429
            assert answer.headers["retry-after"] == "1"
            assert answer.json()["error"]["code"] == "queue_full"


@pytest.mark.slow
def test_a_reader_that_takes_nothing_is_given_up() -> None:
    limits = Limits(stall_seconds=0.3, window=4)
    with running(EndlessModel(max_sequences=1, context_length=60_000), limits=limits) as app:
        body = {"prompt": PROMPT, "max_tokens": 50_000, "logprobs": 320, "stream": True}
        with httpx2.stream("POST", f"{app.url}/v1/completions", json=body, verify=False):
            assert until(lambda: app.scheduler.busy == 0, 10)


@pytest.mark.slow
def test_errors_before_and_after_the_first_byte(caplog: pytest.LogCaptureFixture) -> None:
    body = {"prompt": SECRET, "max_tokens": 9, "stream": True}
    start = len(SECRET)
    for error, status in ((None, 500), (OSError(SECRET), 500)):
        with running(FailingModel(error, start)) as app:
            answer = post(app, body)
            assert answer.status_code == status
            assert answer.json()["error"]["type"] == "server_error"
            assert SECRET not in answer.text
        with running(FailingModel(error, start + 3)) as app:
            answer = post(app, body)
            assert answer.status_code == 200
            assert "error" in chunks(answer.text)[-1]
            assert SECRET not in answer.text
    assert SECRET not in caplog.text


@pytest.mark.slow
def test_shutting_down_ends_streams_with_a_frame() -> None:
    texts = []

    def read(url: str) -> None:
        body = {"prompt": PROMPT, "max_tokens": 4000, "stream": True}
        texts.append(http_post(url, json=body, timeout=20).text)

    with running(EndlessModel(pause=0.02)) as app:
        thread = threading.Thread(target=read, args=(f"{app.url}/v1/completions",))
        thread.start()
        assert until(lambda: app.scheduler.busy == 1)
        app.scheduler.close()
        thread.join(10)
    assert chunks(texts[0])[-1]["error"]["code"] == "shutting_down"


def test_a_token_does_not_wait_for_the_receipt_of_the_one_before() -> None:
    with (
        listen.bind("127.0.0.1", 0) as listening,
        socket.create_connection(listening.getsockname()),
        listening.accept()[0] as near,
    ):
        assert near.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_nothing_of_a_request_is_logged(fake: Any, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="uvicorn"):
        post(fake, {"prompt": SECRET, "max_tokens": 3})
        post(fake, {"prompt": SECRET, "max_tokens": -3})
    assert SECRET not in caplog.text
