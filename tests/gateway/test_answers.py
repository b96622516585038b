"""Many clients: the queue, pings, slow readers, clients that go away, strength while writing."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from costeer.gateway.answers import GatewayLimits
from tests.support.gateway import (
    CHAT,
    HELLO,
    FailingCloud,
    GatedModel,
    asked,
    events,
    idle,
    post,
    running_gateway,
    streamed,
    text_of,
    under_way,
)
from tests.support.serving import until

LONG = HELLO | {"max_tokens": 300, "stream": True}


@contextmanager
def connection(app: Any, body: Any) -> Iterator[Any]:
    """A request by hand, whose answer is not read."""
    import json

    payload = json.dumps(body).encode()
    port = int(app.url.rsplit(":", 1)[1])
    with socket.create_connection(("127.0.0.1", port)) as made:
        made.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\n"
            b"content-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (len(payload), payload)
        )
        yield made


@pytest.mark.slow
def test_eight_streams_on_two_lanes_are_each_what_they_are_alone(tmp_path: Any) -> None:
    with running_gateway(tmp_path, lanes=2) as app:
        alone = [text_of(streamed(app, asked(number))) for number in range(8)]
        with ThreadPoolExecutor(8) as pool:
            together = list(
                pool.map(lambda number: text_of(streamed(app, asked(number))), range(8))
            )
        assert until(lambda: idle(app))
    assert together == alone
    assert len(set(alone)) > 1


@pytest.mark.slow
def test_of_eight_streams_on_two_lanes_none_waits_for_two_calls_of_the_other(
    tmp_path: Path,
) -> None:
    long = {"max_tokens": 40}
    with running_gateway(tmp_path, lanes=2) as app:
        with ThreadPoolExecutor(8) as pool:
            texts = list(pool.map(lambda number: streamed(app, asked(number, **long)), range(8)))
        assert app.costeer.lanes.longest_wait == 1
    assert all(text_of(chunks) for chunks in texts)


@pytest.mark.slow
def test_a_full_queue_is_a_429_that_says_when_to_come_again(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm, lanes=1, limits=GatewayLimits(queue=1)) as app:
        slm.gate.clear()
        with ThreadPoolExecutor(2) as pool:
            waiting = [pool.submit(post, app, asked(number)) for number in range(2)]
            assert until(lambda: under_way(app) == 2)
            response = post(app, asked(3))
            assert (response.status_code, response.json()["error"]["code"]) == (429, "queue_full")
            assert 0 < int(response.headers["retry-after"]) <= 120
            slm.gate.set()
            assert [one.result().status_code for one in waiting] == [200, 200]
        assert post(app, asked(3)).status_code == 200


@pytest.mark.slow
def test_while_the_small_model_reads_comments_keep_the_stream_alive(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm, limits=GatewayLimits(ping=0.05)) as app:
        slm.gate.clear()
        body = HELLO | {"stream": True}
        with app.client.stream("POST", CHAT, json=body, timeout=20) as response:
            lines = response.iter_lines()
            seen = [next(lines) for _ in range(8)]
            slm.gate.set()
            rest = list(lines)
        chunks = [line for line in seen + rest if line.startswith("data: {")]
        whole = post(app, HELLO).json()["choices"][0]["message"]["content"]
    import json

    assert text_of(json.loads(line[6:]) for line in chunks) == whole
    assert seen.count(": reading") == 3
    assert rest[-2:] == ["data: [DONE]", ""]


@pytest.mark.slow
def test_a_client_that_goes_away_frees_its_lane_within_a_token(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm, lanes=1) as app:
        for _ in range(3):
            with app.client.stream("POST", CHAT, json=LONG, timeout=20) as response:
                next(events(response))
            calls = slm.calls
            assert until(lambda: idle(app))
            assert slm.calls - calls < 100  # of some 300: not written to the end
        assert post(app, HELLO).status_code == 200


@pytest.mark.slow
def test_a_client_that_goes_away_while_it_waits_leaves_the_queue(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm, lanes=1) as app:
        slm.gate.clear()
        with connection(app, LONG):
            assert until(lambda: app.costeer.lanes.busy == 1)
            with connection(app, asked(2)):
                assert until(lambda: app.costeer.lanes.waiting == 1)
            assert until(lambda: app.costeer.lanes.waiting == 0)
            assert until(lambda: under_way(app) == 1)
        slm.gate.set()
        assert until(lambda: idle(app))


@pytest.mark.slow
def test_a_slow_reader_holds_no_lane_longer_than_a_fast_one(tmp_path: Path) -> None:
    with running_gateway(tmp_path, lanes=1) as app:
        with connection(app, LONG):  # reads nothing at all
            expected = text_of(streamed(app, asked(1)))
            assert expected
            assert until(lambda: app.costeer.lanes.busy == 0)
        assert until(lambda: idle(app))


@pytest.mark.slow
def test_a_client_that_takes_nothing_is_disconnected(tmp_path: Path) -> None:
    large = LONG | {"max_tokens": 3500, "logprobs": True, "top_logprobs": 20}
    with (
        running_gateway(tmp_path, limits=GatewayLimits(stall=0.2)) as app,
        connection(app, large) as client,
    ):
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 12)
        assert until(lambda: under_way(app) == 1)
        assert until(lambda: idle(app), 60)


@pytest.mark.slow
def test_the_strength_changes_while_an_answer_is_written(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm, strength="off") as app:
        token, other = app.tokens.add("a", "app"), app.tokens.add("b", "app")
        key = {"authorization": f"Bearer {token}"}
        body = asked(1, max_tokens=60, stream=True)
        with app.client.stream("POST", CHAT, json=body, headers=key) as response:
            path = f"/costeer/answers/{response.headers['x-costeer-answer']}/strength"
            assert post(app, {"strength": 2.0}, path, token=other).status_code == 404
            assert post(app, {"strength": "much"}, path, token=token).status_code == 400
            assert post(app, {}, path, token=token).status_code == 400
            changed = post(app, {"strength": 2.0}, path, token=token).status_code
            chunks = list(events(response))
        assert changed in (200, 404)  # 404: it had been written already
        assert text_of(chunks)
        assert post(app, {"strength": 1}, path, token=token).status_code == 404


@pytest.mark.parametrize("stream", [False, True])
def test_an_error_before_the_first_token_is_a_status_that_is_not_to_be_retried(
    tmp_path: Any, stream: Any
) -> None:
    with running_gateway(tmp_path, cloud=FailingCloud(0)) as app:
        response = post(app, HELLO | {"stream": stream})
    assert (response.status_code, response.json()["error"]["code"]) == (502, "cloud_unreachable")
    assert response.headers["x-should-retry"] == "false"


@pytest.mark.slow
def test_an_error_after_the_first_token_is_a_frame_and_then_the_end(tmp_path: Path) -> None:
    with running_gateway(tmp_path, cloud=FailingCloud(3)) as app:
        off = HELLO | {"model": "costeer/off"}  # without corrections, which are new requests
        chunks = streamed(app, off)
        whole = post(app, off)
        named = streamed(app, {"model": "costeer/off", "input": "Hello?"}, "/v1/responses")
    assert "content" in chunks[0]["choices"][0]["delta"]
    assert chunks[-1]["error"]["code"] == "cloud_unreachable"
    assert whole.status_code == 502
    assert named[-1]["error"]["code"] == "cloud_unreachable"


@pytest.mark.slow
def test_shutting_down_ends_what_is_under_way(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with running_gateway(tmp_path, slm=slm) as app:
        slm.gate.clear()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(post, app, LONG | {"stream": False})
            assert until(lambda: under_way(app) == 1)
            threading.Timer(0.2, slm.gate.set).start()
            app.server.should_exit = True
            response = answer.result(20)
        assert (response.status_code, response.json()["error"]["code"]) == (503, "shutting_down")
        assert response.headers["x-should-retry"] == "false"
