"""The client asks, continues and repeats against real sockets."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.base import CloudStep
from costeer.cloud.client.address import api_base
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.cloud.server.requests import Limits
from costeer.exceptions import (
    CloudProtocolError,
    CloudRefusedError,
    CloudUnreachableError,
    NotFiniteError,
    ParameterError,
    UsageError,
)
from costeer.models.fake import FakeModel
from tests.support.serving import (
    PROMPT,
    CountingModel,
    EndlessModel,
    FailingModel,
    Relay,
    Scripted,
    events,
    numbered,
    reply,
    running,
    same,
    until,
    vllm_chunk,
)

ROW = {5: -0.25, 3: -1.75, 8: -3.0}


@pytest.fixture
def connect() -> Iterator[Callable[..., Any]]:
    """Make clients without pauses between repetitions; they are closed at the end."""
    clients = []

    def make(url: str, **options: Any) -> CompletionsClient:
        clients.append(CompletionsClient(url, **{"backoff": 0.0} | options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture(scope="module")
def endless() -> Iterator[Any]:
    with running(EndlessModel()) as app:
        yield app


def expected(n: int, k: int = 8, prompt: list[int] = PROMPT) -> list[CloudStep]:
    return list(InProcess(EndlessModel()).stream(prompt, k, n))


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/", "http://h:1/v1"),
        ("http://h:1/v1", "http://h:1/v1"),
        ("http://h:1/v1/", "http://h:1/v1"),
        ("https://h/some/prefix", "https://h/some/prefix/v1"),
        ("https://h/some/prefix/v1/completions", "https://h/some/prefix/v1"),
        ("http://[::1]:8081", "http://[::1]:8081/v1"),
    ],
)
def test_api_base(url: str, base: str) -> None:
    assert api_base(url) == base


@pytest.mark.parametrize(
    "url",
    ["", "h:1", "ftp://h", "file:///x", "http://", "http://u:p@h", "http://h?key=1", "http://h:x"],
)
def test_unusable_urls(url: str) -> None:
    with pytest.raises(UsageError):
        CompletionsClient(url)


def test_unusable_keys() -> None:
    with pytest.raises(UsageError):
        CompletionsClient("http://h", api_key="a\nb")


@pytest.mark.parametrize(("prompt", "k", "n"), [([], 1, 1), ([1], 0, 1), ([1], 1, 0)])
def test_refuses_the_impossible(connect: Callable[..., Any], prompt: Any, k: int, n: int) -> None:
    with pytest.raises(ParameterError):
        connect("http://127.0.0.1:9").stream(prompt, k, n)


# Against our own server.


@pytest.mark.slow
def test_equals_inprocess_bit_for_bit(endless: Any, connect: Callable[..., Any]) -> None:
    assert same(list(connect(endless.url).stream(PROMPT, 8, 30)), expected(30))


def test_more_than_the_vocabulary_is_capped(endless: Any, connect: Callable[..., Any]) -> None:
    (step,) = connect(endless.url).stream(PROMPT, 10_000, 1)
    assert len(step.top_ids) == 320


def test_info(endless: Any, connect: Callable[..., Any]) -> None:
    client = connect(endless.url)
    assert client.info() == replace(InProcess(EndlessModel()).info(), continues=True)


def test_a_limit_of_ours_is_learnt_from_the_model_list(connect: Callable[..., Any]) -> None:
    with running(FakeModel(), limits=Limits(logprobs=6)) as app:
        client = connect(app.url)
        assert len(next(client.stream(PROMPT, 64, 1)).top_ids) == 6
        assert client.info().max_top_k == 6


@pytest.mark.slow
def test_several_clients_at_once_get_the_same_as_alone(connect: Callable[..., Any]) -> None:
    prompts = [[*PROMPT, i] for i in range(6)]
    results = {}
    with running(EndlessModel(pause=0.001, max_sequences=3)) as app:
        client = connect(app.url)

        def work(i: int) -> None:
            results[i] = list(client.stream(prompts[i], 8, 20))

        threads = [threading.Thread(target=work, args=(i,)) for i in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    for i, prompt in enumerate(prompts):
        assert same(results[i], expected(20, prompt=prompt))


@pytest.mark.slow
def test_closing_frees_the_slot_and_the_prefix_is_reused(connect: Callable[..., Any]) -> None:
    model = EndlessModel(pause=0.002, max_sequences=2)
    with running(model) as app:
        client = connect(app.url)
        stream = client.stream(PROMPT, 8, 3000)
        steps = [next(stream) for _ in range(5)]
        stream.close()
        assert until(lambda: app.scheduler.busy == 0, 1)
        model.evaluated = 0
        corrected = [*PROMPT, *numbered(steps[:4]), 65]
        assert same(list(client.stream(corrected, 8, 3)), expected(3, prompt=corrected))
        assert model.evaluated == 3


def test_api_key(connect: Callable[..., Any]) -> None:
    with running(FakeModel(), api_key="key-1") as app:
        assert len(list(connect(app.url, api_key="key-1").stream(PROMPT, 2, 2))) == 2
        with pytest.raises(CloudRefusedError) as caught:
            list(connect(app.url).stream(PROMPT, 2, 2))
        assert caught.value.status == 401
        assert "COSTEER_API_KEY" in caught.value.hint


def test_a_prompt_too_long(connect: Callable[..., Any]) -> None:
    with running(FakeModel(context_length=20)) as app:
        client = connect(app.url)
        with pytest.raises(CloudRefusedError) as caught:
            list(client.stream([1] * 21, 2, 2))
        assert caught.value.status == 400
        assert "context" in caught.value.hint
        assert len(list(client.stream([1] * 20, 2, 5))) == 1


def test_a_server_that_fails_in_the_middle(connect: Callable[..., Any]) -> None:
    with running(FailingModel(None, len(PROMPT) + 3)) as app:
        stream = connect(app.url, retries=0).stream(PROMPT, 2, 9)
        with pytest.raises(CloudRefusedError) as caught:
            list(stream)
        assert caught.value.status == 500


# Connections that break.


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1, 100, 250, 400, 600, 1000, 1001, 1500])
def test_resumes_where_the_stream_died(endless: Any, connect: Callable[..., Any], cut: int) -> None:
    with Relay(endless.url, cuts=[cut, cut + 700, 2 * cut]) as relay:
        client = connect(relay.url)
        assert same(list(client.stream(PROMPT, 8, 30)), expected(30))
        assert relay.connections >= 2


@pytest.mark.slow
@given(cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_any_cuts_give_the_undisturbed_answer(endless: Any, cuts: Any) -> None:
    with Relay(endless.url, cuts=cuts) as relay:
        client = CompletionsClient(relay.url, backoff=0.0, retries=6)
        try:
            assert same(list(client.stream(PROMPT, 8, 12)), expected(12))
        finally:
            client.close()


def test_gives_up_after_so_many_failures_in_a_row(
    endless: Any, connect: Callable[..., Any]
) -> None:
    with Relay(endless.url, cuts=[1500, *[10] * 50]) as relay:
        stream = connect(relay.url, retries=2).stream(PROMPT, 8, 30)
        next(stream)
        with pytest.raises(CloudUnreachableError):
            list(stream)
        assert relay.connections == 3  # the first, and two repetitions


@pytest.mark.slow
def test_progress_forgives_earlier_failures(endless: Any, connect: Callable[..., Any]) -> None:
    with Relay(endless.url, cuts=[600] * 40) as relay:
        client = connect(relay.url, retries=1)
        steps = list(client.stream(PROMPT, 8, 9))
        assert same(steps, expected(9))
        assert relay.connections > 3


@pytest.mark.slow
def test_nobody_there(connect: Callable[..., Any]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(CloudUnreachableError) as caught:
        list(connect(f"http://127.0.0.1:{port}", retries=3, backoff=0.05).stream(PROMPT, 2, 2))
    assert "costeer serve" in caught.value.hint


@pytest.mark.slow
def test_a_server_that_says_nothing(connect: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(CloudUnreachableError):
            connect(url, timeout=0.2, retries=1).info()


# Against servers of other kinds.


def test_vllm_style_when_our_field_is_ignored(connect: Callable[..., Any]) -> None:
    answer = events(vllm_chunk(5, ROW), vllm_chunk(3, ROW, "length"))
    with Scripted(answer) as server:
        steps = list(connect(server.url).stream([1, 2], 3, 2))
        assert numbered(steps) == [5, 3]
        assert steps[0].top_ids.tolist() == [5, 3, 8]
        assert server.bodies[0] == {
            "model": "m",
            "prompt": [1, 2],
            "max_tokens": 2,
            "temperature": 0,
            "logprobs": 3,
            "stream": True,
            "return_tokens_as_token_ids": True,
            "logprobs_encoding": "base64",
        }


@pytest.mark.parametrize("status", [400, 422])
def test_our_field_is_left_out_once_refused(connect: Callable[..., Any], status: int) -> None:
    def answer(asked: dict[str, Any]) -> bytes:
        if "logprobs_encoding" in asked:
            return reply(status, {"error": {"message": "extra inputs are not permitted"}})
        return events(vllm_chunk(5, ROW, "length"))

    with Scripted(answer) as server:
        client = connect(server.url)
        assert numbered(client.stream([1], 3, 1)) == [5]
        assert numbered(client.stream([1], 3, 1)) == [5]
        assert ["logprobs_encoding" in body for body in server.bodies] == [True, False, False]


@pytest.mark.parametrize(
    ("message", "cap"),
    [
        ("Requested sample logprobs of {}, which is greater than max allowed: 2", 2),
        ("bad logprobs", 1),
    ],
)
def test_a_refused_k_is_lowered_and_remembered(
    connect: Callable[..., Any], message: str, cap: int
) -> None:
    def answer(asked: dict[str, Any]) -> bytes:
        if asked["logprobs"] > cap:
            return reply(400, {"error": {"message": message.format(asked["logprobs"])}})
        return events(vllm_chunk(5, dict(list(ROW.items())[:cap]), "length"))

    with Scripted(answer) as server:
        client = connect(server.url)
        (step,) = client.stream([1], 64, 1)
        assert len(step.top_ids) == client.info().max_top_k == cap
        count = len(server.bodies)
        list(client.stream([1], 64, 1))
        assert len(server.bodies) == count + 1


def test_a_short_row_does_not_lower_what_is_asked_for_later(connect: Callable[..., Any]) -> None:
    short = events(vllm_chunk(5, {5: -0.25}, "length"))
    with Scripted(short, events(vllm_chunk(5, ROW, "length"))) as server:
        client = connect(server.url)
        rows = [next(client.stream([1], 64, 1)).top_ids for _ in range(2)]
        assert [len(row) for row in rows] == [1, 3]
        assert [body["logprobs"] for body in server.bodies] == [64, 64]


@pytest.mark.slow
@pytest.mark.parametrize("k", [64, 8])
def test_a_limit_on_the_tokens_of_a_request_is_learnt_and_kept_to(
    connect: Callable[..., Any], k: int
) -> None:
    """One refusal; then as many requests as it takes."""
    records = []
    with running(EndlessModel(), limits=Limits(max_tokens=16)) as app:
        client = connect(app.url, record=records.append)
        assert same(list(client.stream(PROMPT, k, 40)), expected(40, k))
        assert sum(record.what.startswith("POST") for record in records) == 1 + 3


def test_a_request_for_one_token_keeps_its_connection(connect: Callable[..., Any]) -> None:
    """What is left of such an answer is its end mark."""
    prompt = list(PROMPT)
    with running(EndlessModel()) as app, Relay(app.url) as relay:
        client = connect(relay.url)
        for _ in range(5):
            stream = client.stream(prompt, 8, 1)
            prompt.append(next(stream).token)
            stream.close()
        assert relay.connections == 1


def test_max_tokens_fit_into_a_foreign_context(connect: Callable[..., Any]) -> None:
    models = reply(200, {"data": [{"id": "m", "max_model_len": 10}]})
    with Scripted(events(vllm_chunk(5, ROW, "length")), models=models) as server:
        list(connect(server.url).stream([1] * 7, 3, 99))
        assert server.bodies[0]["max_tokens"] == 3


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_transient_refusals_are_repeated(connect: Callable[..., Any], status: int) -> None:
    good = events(vllm_chunk(5, ROW, "length"))
    with Scripted(reply(status, "", retry_after=0), reply(status, ""), good) as server:
        assert numbered(connect(server.url).stream([1], 3, 1)) == [5]
        assert len(server.bodies) == 3


@pytest.mark.parametrize(
    ("status", "asked", "hint"),
    [
        (302, 1, "redirects"),
        (401, 1, "COSTEER_API_KEY"),
        (403, 1, "COSTEER_API_KEY"),
        (404, 1, "/v1/models"),
        (413, 1, "Shorten"),
        (400, 2, "token ids"),
        (500, 2, "log"),
        (429, 3, "later"),
        (503, 3, "later"),
    ],
)
def test_refusals(connect: Callable[..., Any], status: int, asked: int, hint: str) -> None:
    echo = {"error": {"message": "you sent [7193, 7193]", "input": [7193]}}
    with Scripted(reply(status, echo)) as server:
        with pytest.raises(CloudRefusedError) as caught:
            list(connect(server.url, retries=2).stream([7193], 3, 1))
        assert caught.value.status == status
        assert hint in caught.value.hint
        assert "7193" not in str(caught.value)
        assert len(server.bodies) == asked


CHUNK = json.dumps(vllm_chunk(5, ROW))


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (events({"choices": [{"text": "x", "finish_reason": None}]}), CloudProtocolError),
        (events({"choices": [{"text": "", "finish_reason": "stop"}]}), CloudProtocolError),
        (events(vllm_chunk(5, {}, "stop")), CloudProtocolError),
        (events({"choices": 5}), CloudProtocolError),
        (events("[1]"), CloudProtocolError),
        (reply(200, vllm_chunk(5, ROW, "length")), CloudProtocolError),
        (events(CHUNK.replace("-0.25", "NaN")), NotFiniteError),
        (events(CHUNK, done=False), CloudUnreachableError),  # no end
        (events(CHUNK), CloudUnreachableError),  # no finish_reason
        (events(CHUNK, CHUNK[:40], done=False), CloudUnreachableError),
        (events(CHUNK, done=False) + b"<html>\n", CloudUnreachableError),
        (events(CHUNK, done=False) + b"data: {\n\n", CloudUnreachableError),
        (events(CHUNK, done=False) + b"data: \xff\n\n", CloudUnreachableError),
        (events(CHUNK, done=False) + CHUNK.encode(), CloudUnreachableError),
        (events({"error": {"message": "[7193]", "code": 500}}), CloudRefusedError),
        (b"HTTP/1.1 200 OK\r\n", CloudUnreachableError),
        (b"SSH-2.0-nonsense\r\n\r\n", CloudUnreachableError),
    ],
)
def test_unusable_answers(connect: Callable[..., Any], answer: bytes, error: type[Any]) -> None:
    with Scripted(answer) as server:
        with pytest.raises(error) as caught:
            list(connect(server.url, retries=0).stream([7193], 3, 9))
        assert "7193" not in str(caught.value)


def test_a_server_without_a_list_of_models(connect: Callable[..., Any]) -> None:
    answer = events(vllm_chunk(5, ROW, "length"))
    with Scripted(answer, models=reply(404, "Not Found")) as server:
        client = connect(server.url, model="mine")
        assert client.info().model == "mine"
        assert numbered(client.stream([1], 3, 1)) == [5]
        assert server.bodies[0]["model"] == "mine"


# What is counted and what is told.


@pytest.mark.slow
def test_bytes_are_those_on_the_wire(endless: Any, connect: Callable[..., Any]) -> None:
    records = []
    with Relay(endless.url) as relay:
        client = connect(relay.url, record=records.append, api_key="k")
        client.info()
        list(client.stream(PROMPT, 64, 40))
        list(client.stream(PROMPT, 64, 3))
        assert relay.connections == 1  # kept alive
    assert [r.what for r in records] == ["GET /v1/models", *["POST /v1/completions"] * 2]
    assert [r.token_ids for r in records] == [(), tuple(PROMPT), tuple(PROMPT)]
    assert sum(r.bytes_up for r in records) == relay.up
    down = sum(r.bytes_down for r in records)
    assert abs(down - relay.down) <= 0.01 * relay.down
    assert down / 43 < 1024


def test_every_exchange_is_recorded_once(endless: Any, connect: Callable[..., Any]) -> None:
    records = []
    with Relay(endless.url, cuts=[600, 700]) as relay:
        client = connect(relay.url, record=records.append)
        steps = list(client.stream(PROMPT, 8, 12))
        posts = [r for r in records if r.what.startswith("POST")]
        assert len(posts) == relay.connections
        assert posts[0].token_ids == tuple(PROMPT)
        sent = (*PROMPT, *numbered(steps))
        assert all(r.token_ids == sent[: len(r.token_ids)] for r in posts)
        assert len(posts[-1].token_ids) > len(PROMPT)  # the answer so far goes up, and says so
        early = client.stream(PROMPT, 8, 12)
        next(early)
        early.close()
        early.close()
        assert len(records) == len(posts) + 2


def test_what_never_left_is_not_recorded_as_sent(connect: Callable[..., Any]) -> None:
    records = []
    with Scripted(b"") as server:
        client = connect(server.url, record=records.append, retries=0)
        client.info()
    with pytest.raises(CloudUnreachableError):
        list(client.stream([7193], 3, 1))
    assert records[-1].token_ids == ()
    assert (records[-1].bytes_up, records[-1].bytes_down) == (0, 0)


def test_no_log_tells_the_prompt(
    endless: Any, connect: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        list(connect(endless.url).stream([201, 202, 203, 204], 2, 3))
    assert caplog.records
    assert not re.search(r"201\D{1,3}202", caplog.text)


def test_closing_ends_the_connection_at_once(connect: Callable[..., Any]) -> None:
    gone = threading.Event()

    class Slow(Scripted):
        def serve(self, connection: Any, number: int) -> None:
            super().serve(connection, number)
            if self.bodies and not connection.recv(1):
                gone.set()

    with Slow(events(vllm_chunk(5, ROW), done=False).replace(b"close", b"keep-alive")) as server:
        stream = connect(server.url).stream([1], 3, 99)
        next(stream)
        stream.close()
        assert gone.wait(2)


def test_counting_model_is_the_fake_one() -> None:
    assert same(
        list(InProcess(CountingModel()).stream(PROMPT, 3, 5)),
        list(InProcess(FakeModel()).stream(PROMPT, 3, 5)),
    )
