"""What one connection can cost a server: waiting, places, lines in the log."""

from __future__ import annotations

import logging
import resource
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from costeer.serving import connections
from costeer.serving.connections import LimitedConnection, TerseFilter
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


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(LimitedConnection, "request_seconds", 0.3)
    with running(CountingModel()) as app:
        yield app


@pytest.mark.slow
@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"GET /hea",
        b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: 99\r\n\r\n{",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\nGET /hea",
    ],
)
def test_half_a_request_is_not_waited_for(impatient: Any, sent: Any) -> None:
    with connect(impatient) as peer:
        peer.sendall(sent)
        while peer.recv(1000):  # the socket's own timeout is 10 s
            pass


@pytest.mark.slow
def test_a_long_answer_is_no_late_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedConnection, "request_seconds", 0.2)
    with running(EndlessModel(pause=0.02)) as app:
        assert post(app, {"prompt": PROMPT, "max_tokens": 30}).status_code == 200


def test_idle_connections_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedConnection, "most", 8)
    with running(CountingModel()) as app:
        idle = [connect(app) for _ in range(30)]
        assert http_get(f"{app.url}/health").status_code == 200
        for peer in idle:
            peer.close()


@pytest.mark.slow
def test_busy_connections_do_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LimitedConnection, "most", 2)
    with running(EndlessModel(pause=0.01)) as app, httpx2.Client(verify=False) as client:
        body = {"prompt": PROMPT, "max_tokens": 3000, "stream": True}
        with (
            client.stream("POST", f"{app.url}/v1/completions", json=body),
            client.stream("POST", f"{app.url}/v1/completions", json=body),
        ):
            answer = http_get(f"{app.url}/health")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")


def test_the_limit_leaves_files_for_the_rest() -> None:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert 1 <= connections.most_connections() <= max(files // 2, 1)


@pytest.mark.slow
def test_broken_framing_after_an_answer_began_is_no_traceback(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with running(EndlessModel(pause=0.01)) as app, connect(app) as peer:
        body = b'{"prompt": [1, 2], "max_tokens": 500, "stream": true}'
        peer.sendall(
            b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
            b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
        )
        peer.recv(100)
        peer.sendall(b"\x00\x01 no request\r\n\r\n")
        time.sleep(0.2)
        assert until(lambda: app.scheduler.busy <= 1)
    assert not any(record.exc_info for record in caplog.records)


def test_the_log_repeats_nothing_and_holds_no_traceback() -> None:
    terse = TerseFilter()
    try:
        raise OSError("too many files")
    except OSError as error:
        failed = (OSError, error, error.__traceback__)

    def record(text: Any) -> Any:
        return logging.LogRecord("asyncio", logging.ERROR, "", 1, text, (), failed)

    first, second, other = record("accept\n"), record("accept\n"), record("else")
    assert [terse.filter(first), terse.filter(second), terse.filter(other)] == [True, False, True]
    assert first.exc_info is None
    assert first.getMessage() == "accept (OSError)"
