"""``costeer gateway`` as a process of its own, and its tokens."""

from __future__ import annotations

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

from costeer.cloud.in_process import InProcess
from costeer.edge.runtime import Costeer
from costeer.models.fake import FakeModel
from costeer.profile import profiles
from costeer.profile.records import Draft
from tests.support.profiles import FAST, PASSPHRASE
from tests.support.serving import Scripted, reply, running

ENVIRON = {key: value for key, value in os.environ.items() if not key.startswith("COSTEER_")}
PAIR = ("--llm", "fake:1", "--slm", "fake:2", "--strength", "2")
MESSAGES = [{"role": "user", "content": "Dinner?"}]
CONTEXT = "I am vegan."


@contextmanager
def gateway(home: Any, *options: Any, **environ: Any) -> Iterator[Any]:
    """Start one on a free port; its process and base URL."""
    process = subprocess.Popen(
        [sys.executable, "-m", "costeer", "gateway", "--port", "0", *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
        env=ENVIRON | {"COSTEER_GATEWAY": str(home / "gateway")} | environ,
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), process.stderr.read()
        yield process, line.split()[-1]
    finally:
        process.kill()
        with process:  # waits, and closes the pipes
            pass


def interrupt(process: Any) -> Any:
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert out == ""  # nothing but the one line
    assert "Traceback" not in err
    return err


def answer(url: Any, model: Any = "costeer") -> Any:
    body = {"model": model, "messages": MESSAGES, "max_tokens": 12}
    made = httpx2.post(f"{url}/chat/completions", json=body, timeout=60).json()
    return made["choices"][0]["message"]["content"]


@pytest.fixture(scope="module")
def expected() -> Any:
    """What the library writes to the same question, by context."""
    with Costeer(InProcess(FakeModel(seed=1)), FakeModel(seed=2), strength=2.0) as costeer:
        texts = {
            context: costeer.generate(MESSAGES, context, max_tokens=12).text
            for context in ("", CONTEXT, f"{CONTEXT}\n\nI live in Oslo.", "I live in Oslo.")
        }
    assert len(set(texts.values())) == 4
    return texts


@pytest.mark.slow
def test_the_embedded_pair_answers_and_ctrl_c_ends_a_stream(tmp_path: Path, expected: Any) -> None:
    (tmp_path / "me.txt").write_text(CONTEXT, "utf-8")
    with gateway(tmp_path, *PAIR, "--context-file", "me.txt") as (process, url):
        assert url.endswith("/v1")
        assert answer(url) == expected[CONTEXT]
        assert answer(url, "costeer/off") == expected[""]
        body = {"model": "costeer", "messages": MESSAGES, "stream": True}
        with httpx2.stream("POST", f"{url}/chat/completions", json=body, timeout=60) as response:
            next(response.iter_bytes())
            err = interrupt(process)
    assert "Dinner" not in err and "vegan" not in err


@pytest.mark.slow
def test_the_name_of_a_model_reaches_the_terminal_without_control_characters(
    tmp_path: Path,
) -> None:
    cards = reply(200, {"object": "list", "data": [{"id": "evil\x1b]52;c;eA==\x07\x9bmodel"}]})
    with (
        Scripted(reply(400, "no"), models=cards) as server,
        gateway(tmp_path, "--cloud", server.url, "--slm", "fake:2") as (process, _),
    ):
        err = interrupt(process)
    assert "evil" in err
    assert not set(err) & set("\x1b\x07\x9b"), repr(err)


@pytest.mark.slow
def test_the_large_model_may_be_elsewhere(tmp_path: Path, expected: Any) -> None:
    with running(FakeModel(seed=1)) as cloud:
        options = ("--cloud", cloud.url, *PAIR[2:], "--context", CONTEXT)
        with gateway(tmp_path, *options) as (process, url):
            assert answer(url) == expected[CONTEXT]
            assert cloud.url.removeprefix("http://") in interrupt(process)


@pytest.mark.slow
def test_a_profile_is_read_beside_the_text(
    tmp_path: Path, expected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    profiles.create("work", PASSPHRASE, FAST)
    with profiles.open_by_secret("work", PASSPHRASE) as opened:
        opened.records.add(Draft("fact", "I live in Oslo."))
    (tmp_path / "passphrase").write_text(PASSPHRASE, "utf-8")
    (tmp_path / "passphrase").chmod(0o600)
    environ = {
        "COSTEER_PROFILES": str(tmp_path / "profiles"),
        "COSTEER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
    }
    options = (*PAIR, "--profile", "work", "--context", CONTEXT)
    with gateway(tmp_path, *options, **environ) as (process, url):
        models = httpx2.get(f"{url}/models").json()["data"]
        assert "costeer/work" in [one["id"] for one in models]
        both = expected[f"{CONTEXT}\n\nI live in Oslo."]
        assert answer(url) == answer(url, "costeer/work") == both
        interrupt(process)


@pytest.fixture
def command(run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """``costeer gateway`` in this process, with folders of its own."""
    monkeypatch.setenv("COSTEER_GATEWAY", str(tmp_path / "gateway"))
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    return lambda *arguments: run("gateway", *arguments)


@pytest.fixture
def refused(command: Any) -> Any:
    """What is said where it does not start."""

    def refused(*options: Any) -> Any:
        code, out, err = command(*PAIR, *options)
        assert (code, out) == (2, ""), options
        assert "Traceback" not in err and "Loading" not in err
        return err

    return refused


def test_other_interfaces_take_a_token(refused: Any, tmp_path: Path) -> None:
    assert "token add" in refused("--host", "0.0.0.0")
    assert not (tmp_path / "gateway").exists()


def test_what_cannot_be_is_said_before_models_are_loaded(refused: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        assert "--port" in refused("--port", str(taken.getsockname()[1]))
    for options in (
        ("--port", "70000"),
        ("--lanes", "0"),
        ("--queue", "-1"),
        ("--max-tokens", "0"),
        ("--temperature", "-1"),
        ("--top-p", "0"),
        ("--host", "999.1.2.3"),
        ("--context-file", "none.txt"),
        ("--context", "x", "--context-file", "none.txt"),
        ("--profile", "none"),
        ("--strength", "much"),
        ("extra",),
    ):
        assert refused(*options)


def test_tokens_are_added_listed_and_revoked(command: Any) -> None:
    def token(*arguments: Any) -> Any:
        return command("token", *arguments)

    assert token("list") == (0, "", "")
    made = {}
    for name, scope, options in (("open-webui", "app", ()), ("me", "owner", ("--owner",))):
        code, made[name], err = token("add", name, *options)
        assert code == 0
        assert made[name].startswith(f"costeer-{scope}-")
        assert made[name].count("\n") == 1  # so that scripts can take it
        assert "API key" in err
    code, out, _ = token("list")
    assert [line.split()[:2] for line in out.splitlines()] == [["open-webui", "app"],
                                                               ["me", "owner"]]  # fmt: skip
    assert not any(secret.strip() in out for secret in made.values())
    assert token("add", "me")[0] == 2
    assert token("revoke", "open-webui") == (0, "", "Revoked open-webui.\n")
    assert token("revoke", "open-webui")[0] == 2
    assert "open-webui" not in token("list")[1]


@pytest.mark.slow
def test_a_token_of_the_command_line_opens_the_gateway(tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, "-m", "costeer", "gateway", "token", "add", "app"],
        capture_output=True, text=True, check=True,
        env=ENVIRON | {"COSTEER_GATEWAY": str(tmp_path / "gateway")},
    ).stdout.strip()  # fmt: skip
    with gateway(tmp_path, *PAIR) as (process, url):
        assert httpx2.get(f"{url}/models").status_code == 401
        key = {"authorization": f"Bearer {made}"}
        assert httpx2.get(f"{url}/models", headers=key).status_code == 200
        assert "There is no context" in interrupt(process)
