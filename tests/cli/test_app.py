"""``costeer app`` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest

from costeer.profile import profiles
from tests.support.profiles import FAST, PASSPHRASE
from tests.support.serving import until

ENVIRON = {key: value for key, value in os.environ.items() if not key.startswith("COSTEER_")}
MODELS = ("--llm", "fake:1", "--slm", "fake:2", "--strength", "2")


@pytest.fixture
def home(tmp_path: Any, monkeypatch: Any) -> Any:
    """The environment of a person with a passphrase in a file, and no profile yet."""
    (tmp_path / "passphrase").write_text(PASSPHRASE)
    (tmp_path / "passphrase").chmod(0o600)
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    return ENVIRON | {
        "COSTEER_PROFILES": str(tmp_path / "profiles"),
        "COSTEER_GATEWAY": str(tmp_path / "gateway"),
        "COSTEER_PASSPHRASE_FILE": str(tmp_path / "passphrase"),
        "HOME": str(tmp_path),
        "BROWSER": str(tmp_path / "none"),
    }


def command(*options: Any) -> Any:
    return [sys.executable, "-m", "costeer", "app", "--port", "0", *MODELS, *options]


@contextmanager
def started(home: Any, *options: Any, stdin: Any = subprocess.DEVNULL) -> Iterator[Any]:
    process = subprocess.Popen(
        command(*options),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=home,
        cwd=home["HOME"] + "/work",
    )
    try:
        line = process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), process.stderr.read()
        yield process, line.split()[-1]
    finally:
        process.kill()
        with process:  # waits, and closes the pipes
            pass


def enter(link: Any) -> Any:
    """Exchange a link's ticket for a client with the token."""
    url, _, ticket = link.strip().partition("/#ticket=")
    token = httpx2.post(f"{url}/app/session", json={"ticket": ticket}).json()["token"]
    return httpx2.Client(base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=30)


def stop(process: Any) -> Any:
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode in (0, 130)
    assert "Traceback" not in err
    return err


@pytest.mark.slow
def test_without_a_profile_it_works_at_once_and_says_how_to_make_one(home: Any) -> None:
    with started(home, "--no-browser") as (process, url):
        link = process.stdout.readline()
        assert link.startswith(f"{url}/#ticket=")
        with enter(link) as client:
            assert client.get("/app/state").json()["profile"] is None
            assert httpx2.get(f"{url}/v1/models").status_code == 401  # applications need a token
            number = client.post("/app/conversations", json={}).json()["id"]
            path = f"/app/conversations/{number}/ask"
            with client.stream("POST", path, json={"text": "Hello?"}) as response:
                lines = response.iter_lines()
                assert json.loads(next(lines)[6:])["type"] == "begin"
                err = stop(process)  # in the middle of an answer
    assert "costeer profile init" in err


@pytest.mark.slow
def test_the_default_profile_keeps_what_was_written_before_ctrl_c(home: Any) -> None:
    profiles.create("default", PASSPHRASE, FAST)
    with (
        started(home, "--no-browser") as (process, _),
        enter(process.stdout.readline()) as client,
    ):
        assert client.get("/app/state").json()["profile"] == "default"
        number = client.post("/app/conversations", json={}).json()["id"]
        path = f"/app/conversations/{number}/ask"
        with client.stream("POST", path, json={"text": "Hello?"}) as response:
            lines = (line for line in response.iter_lines() if line.startswith("data: "))
            seen = [json.loads(next(lines)[6:]) for _ in range(4)]
            stop(process)
    with profiles.open_by_secret("default", PASSPHRASE) as profile:
        question, answer = profile.conversations.branch(number)
        profile.database.check()
    assert question.text == "Hello?"
    assert answer.text.startswith("".join(event.get("text", "") for event in seen))


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a shell script is the browser")
def test_the_browser_is_opened_with_the_link(home: Any, tmp_path: Any) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\nprintf %s "$1" > "{seen}.new" && mv "{seen}.new" "{seen}"\n')
    browser.chmod(0o755)
    with started(home | {"BROWSER": str(browser)}) as (process, url):
        assert until(seen.exists)
        assert seen.read_text().startswith(f"{url}/#ticket=")
        with enter(seen.read_text()) as client:
            assert client.get("/app/state").status_code == 200
        stop(process)


@pytest.mark.slow
def test_where_no_browser_can_be_opened_the_link_is_printed(home: Any) -> None:
    with started(home) as (process, url):
        assert process.stdout.readline().startswith(f"{url}/#ticket=")
        assert "no browser" in stop(process)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="a terminal is simulated")
def test_enter_shows_another_link(home: Any) -> None:
    import pty

    ours, theirs = pty.openpty()
    with started(home, "--no-browser", stdin=theirs) as (process, _):
        first = process.stdout.readline()
        os.write(ours, b"\n")
        second = process.stdout.readline()
        for link in (second, first):
            enter(link).close()
        stop(process)
    os.close(ours)
    os.close(theirs)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--profile", "nobody"), "nobody"),
        (("--profile", "../x"), "name"),
        (("--temperature", "-1"), "temperature"),
        (("--context-file", "nowhere.txt"), "nowhere.txt"),
    ],
)
def test_what_cannot_be_opened_is_said(run: Any, home: Any, options: Any, words: Any) -> None:
    code, out, err = run("app", "--port", "0", *MODELS, *options)
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_another_profile_than_default_has_to_be_named(home: Any) -> None:
    profiles.create("work", PASSPHRASE, FAST)
    with started(home, "--no-browser") as (process, _):
        with enter(process.stdout.readline()) as client:
            assert client.get("/app/state").json()["profile"] is None
        assert "work" in stop(process)
