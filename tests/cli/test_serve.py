"""``costeer serve`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from costeer.cli.serve import allowed_names
from costeer.cloud.client.completions import CompletionsClient
from costeer.cloud.in_process import InProcess
from costeer.models.fake import FakeModel
from costeer.serving.guard import names_server
from tests.support.serving import PROMPT, http_get, http_post, same

ENVIRON = {key: value for key, value in os.environ.items() if not key.startswith("COSTEER_")}


def command(*options: Any) -> Any:
    return [sys.executable, "-m", "costeer", "serve", "--model", "fake", "--port", "0", *options]


@contextmanager
def serving(*options: Any, **environ: Any) -> Iterator[Any]:
    process = subprocess.Popen(
        command(*options),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRON | environ,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://"), process.stderr.read()
        yield process, line.split()[-1]
    finally:
        process.kill()
        with process:  # waits, and closes the pipes
            pass


def failing(*options: Any) -> Any:
    done = subprocess.run(
        command(*options), capture_output=True, text=True, timeout=30, env=ENVIRON, check=False
    )
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.mark.slow
def test_serves_and_ends_on_ctrl_c_in_the_middle_of_a_stream() -> None:
    with serving("--context", "500") as (process, url):
        client = CompletionsClient(url)
        assert client.info().context_length == 500
        expected = list(InProcess(FakeModel()).stream(PROMPT, 8, 6))
        assert same(list(client.stream(PROMPT, 8, 6)), expected)
        client.close()
        body = {"prompt": PROMPT, "stream": True, "ignore_eos": True, "max_tokens": 400}
        with httpx2.stream("POST", f"{url}/v1/completions", json=body, verify=False) as response:
            pieces = response.iter_bytes()
            next(pieces)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=10)
    assert process.returncode in (0, 130)
    assert out == ""  # nothing but the one line
    assert "Traceback" not in err


@pytest.mark.slow
def test_ends_with_its_parent() -> None:
    with serving("--exit-with-parent") as (process, _):
        process.stdin.close()
        assert process.wait(5) == 0


@pytest.mark.slow
def test_a_closed_standard_input_does_not_matter_otherwise() -> None:
    with serving() as (process, url):
        process.stdin.close()
        assert http_get(f"{url}/health").json() == {"status": "ok"}
        assert process.poll() is None


@pytest.mark.slow
def test_keys_from_a_file_and_from_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("from-file\n")
    with serving("--api-key-file", str(path), COSTEER_API_KEY="from-environment") as (_, url):
        headers = {"authorization": "Bearer from-file"}
        assert http_get(f"{url}/v1/models", headers=headers).status_code == 200
        assert http_get(f"{url}/v1/models").status_code == 401
    with serving(COSTEER_API_KEY="from-environment") as (_, url):
        headers = {"authorization": "Bearer from-environment"}
        assert http_get(f"{url}/v1/models", headers=headers).status_code == 200


@pytest.mark.slow
def test_requests_do_not_show(tmp_path: Path) -> None:
    with serving() as (process, url):
        http_post(f"{url}/v1/completions", json={"prompt": "sesame", "max_tokens": 2})
        http_post(f"{url}/v1/completions", json={"prompt": "sesame", "max_tokens": -2})
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=10)
    assert "sesame" not in out + err
    assert "/v1/completions" not in out + err


@pytest.mark.slow
def test_one_line_for_what_cannot_be(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, err = failing("--port", str(taken.getsockname()[1]))
        assert (code, err.count("\n")) == (2, 1)
        assert "--port" in err
    for options in (("--api-key-file", str(tmp_path / "none")), ("--host", "999.1.2.3")):
        code, err = failing(*options)
        assert (code, err.count("\n")) == (2, 1), err


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--port", "70000"), ("--parallel", "0"), ("--context", "x")])
def test_options_out_of_range(options: Any) -> None:
    assert failing(*options)[0] == 2


@pytest.mark.slow
def test_a_frame_is_json_in_one_line() -> None:
    with serving() as (_, url):
        body = {"prompt": [10, 13, 10], "max_tokens": 20, "stream": True}
        text = http_post(f"{url}/v1/completions", json=body).text
    for frame in text.removesuffix("data: [DONE]\n\n").split("\n\n")[:-1]:
        json.loads(frame.removeprefix("data: "))


@pytest.mark.slow
def test_without_a_key_nobody_else_is_let_in_unless_asked_for() -> None:
    code, err = failing("--host", "0.0.0.0")
    assert (code, err.count("\n")) == (2, 1)
    assert "--no-key" in err


@pytest.mark.parametrize(
    ("host", "allowed", "header", "known"),
    [
        ("127.0.0.1", (), "localhost:8081", True),
        ("127.0.0.1", (), "10.0.0.7:8081", False),
        ("127.0.0.1", ("tunnel.example",), "Tunnel.example", True),
        ("0.0.0.0", (), "10.0.0.7:8081", True),
        ("0.0.0.0", (), "[fe80::1]:8081", True),
        ("0.0.0.0", (), "evil.example", False),
        ("0.0.0.0", (), socket.gethostname(), True),
        ("0.0.0.0", ("llm.example",), "llm.example:8081", True),
        ("box.example", (), "box.example", True),
        ("box.example", (), "evil.example:1", False),
    ],
)
def test_the_host_header_is_checked_on_every_address(
    host: Any, allowed: Any, header: Any, known: Any
) -> None:
    assert names_server(header, allowed_names(host, allowed)) == known
