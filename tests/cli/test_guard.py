"""``costeer guard``: the person's own list, and that it counts."""

import contextlib
import io
import json
import os
import pty
import subprocess
import sys
from importlib.util import find_spec
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.cli.guard import KIND_NAMES, LEVEL_NAMES
from costeer.models.fake import FakeModel
from costeer.privacy.entities import PACKAGE
from costeer.privacy.values import KINDS, LEVELS
from tests.support.canary import Tap, contains
from tests.support.lying import LURES, LyingModel
from tests.support.serving import running

FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 4)


@pytest.fixture
def add(run: Any, monkeypatch: Any) -> Any:
    def add(text: Any, *options: Any) -> Any:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
        return run("guard", "add", *options)

    return add


def test_values_are_added_changed_and_removed(run: Any, add: Any) -> None:
    assert run("guard", "list") == (0, "", "")
    assert add("Märta Öz\r\n\nmärta öz\nLena\n", "--kind", "name")[0] == 0
    assert run("guard", "list")[1] == "1  stand-in  name  Märta Öz\n2  stand-in  name  Lena\n"
    assert run("guard", "level", 1, "withheld")[0] == 0
    assert run("guard", "rm", 2)[0] == 0
    assert run("guard", "list")[1] == "1  withheld  name  Märta Öz\n"


def test_values_found_in_a_context_are_listed_with_their_levels(
    run: Any, add: Any, tmp_path: Any
) -> None:
    add("Zork", "--kind", "name")
    (tmp_path / "me.txt").write_text("I live in Porto.\nEmail: zork@okafor.net")
    assert run("guard", "list", "--context-file", "me.txt")[1] == (
        "1  stand-in  name  Zork\n"
        "rules  open  place  Porto\n"
        "rules  stand-in  e-mail  zork@okafor.net\n"
    )


@pytest.mark.slow
@pytest.mark.skipif(find_spec(PACKAGE) is None, reason="costeer[detect] is not installed")
def test_the_list_says_what_only_the_model_finds(run: Any, monkeypatch: Any, tmp_path: Any) -> None:
    monkeypatch.setenv("COSTEER_ENTITY_MODEL", "true")
    (tmp_path / "me.txt").write_text("I live in Porto.\r\nWe flew to Aveiro.")
    assert run("guard", "list", "--context-file", "me.txt")[1] == (
        "rules  open  place  Porto\nmodel  open  place  Aveiro\n"
    )


ASK = ("generate", "--query", "Ask Brillig", "--guard", "off", "--context", "My name is Brillig.")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("typed", "code", "sent"),
    [("\n", 0, False), ("stand-in\n", 0, False), ("send\n", 0, True), ("stop\n", 2, None)],
)
def test_at_a_terminal_a_value_is_asked_about(
    tmp_path: Any, typed: Any, code: Any, sent: Any
) -> None:
    with running(FakeModel(seed=1)) as app, Tap(urlsplit(app.url).port) as tap:
        line = (*ASK, "--cloud", tap.url, "--slm", "fake:2", "--max-tokens", "4")
        ended, screen = at_terminal(line, typed, tmp_path)
    assert ended == code
    assert "What you send holds 1 value of yours (name)." in screen
    assert "Brillig" not in screen
    ids = FakeModel(seed=1).tokenizer.encode("Brillig")
    if sent is None:
        assert b"POST" not in tap.heard
    else:
        assert b"POST" in tap.heard
        assert contains(tap.heard, "Brillig", ids) is sent


def at_terminal(words: Any, typed: Any, home: Any) -> Any:
    """Run a command with a terminal for all three streams; its exit code, and what it showed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "HOME": str(home), "COSTEER_PRIVATE": str(home / "private")}
    process = subprocess.Popen(
        [sys.executable, "-m", "costeer", *words],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=home, close_fds=True,
    )  # fmt: skip
    os.close(theirs)
    os.write(ours, typed.encode())
    screen = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while piece := os.read(ours, 65536):
            screen += piece
    os.close(ours)
    return process.wait(), screen.decode()


@pytest.mark.parametrize("text", ["", "\n \n", "---", "x" * 201])
def test_what_is_no_value_is_refused_and_nothing_kept(run: Any, add: Any, text: Any) -> None:
    code, _, err = add(text)
    assert code == 2
    assert "value" in err
    assert run("guard", "list")[1] == ""


@pytest.mark.parametrize("words", [("rm", 1), ("level", 3, "open")])
def test_a_number_that_is_not_there(run: Any, words: Any) -> None:
    code, _, err = run("guard", *words)
    assert code == 2
    assert "costeer guard list" in err


def test_a_question_with_a_value_is_noticed_and_the_value_not_repeated(run: Any, add: Any) -> None:
    add("Brillig", "--kind", "name")
    line = ("generate", "--query", "Ask Brillig", "--context", "x", *FAKE)
    _, _, err = run(*line, "--guard", "off")
    assert "goes up as it is" in err
    assert "--guard stand-in" in err
    assert "Brillig" not in err
    _, _, err = run(*line)  # "stand-in" is the default
    assert "Stand-ins go up for 1 value of yours (name)" in err
    assert "Brillig" not in err


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_flat_cloud_is_told(run: Any, as_json: Any) -> None:
    with running(LyingModel(LURES[0])) as app:
        line = ("generate", "--query", "Hi", "--context", "Your name is Maren.", *as_json)
        _, _, err = run(*line, "--cloud", app.url, "--slm", "fake:2", "--max-tokens", 40)
    assert "Do not trust this server" in " ".join(err.split())


def test_both_serving_commands_take_a_guard(run: Any) -> None:
    for command in ("gateway", "app"):
        assert "--guard" in run(command, "--help")[1]


def test_reading_the_list_makes_no_folder(run: Any, tmp_path: Any) -> None:
    run("generate", "--query", "Hi", *FAKE)
    assert not (tmp_path / "private").exists()


@pytest.mark.parametrize("guard", ["off", "stand-in", "strict"])
def test_a_damaged_list_is_said_before_anything_is_sent(
    run: Any, add: Any, tmp_path: Any, guard: Any
) -> None:
    add("Brillig")
    (tmp_path / "private" / "values.json").write_text(json.dumps({"a": 1}))
    code, out, err = run("generate", "--query", "Hi", "--guard", guard, *FAKE)
    assert (code, out) == (1, "")
    assert "damaged" in err


def test_the_names_that_help_lists_without_imports_are_those_there_are() -> None:
    assert (KIND_NAMES, LEVEL_NAMES) == (KINDS, LEVELS)


def test_a_profile_has_a_list_of_its_own(run: Any, add: Any, profile: Any) -> None:
    assert add("Zork\nFrobozz\n", "--kind", "name", *profile)[0] == 0
    assert run("guard", "list") == (0, "", "")
    assert run("guard", "level", 2, "withheld", *profile)[0] == 0
    assert run("guard", "rm", 1, *profile)[0] == 0
    assert run("guard", "list", *profile)[1] == "1  withheld  name  Frobozz\n"
    assert run("guard", "rm", 2, *profile)[0] == 2
    assert run("guard", "list", "--profile", "nobody")[0] == 2


@pytest.mark.slow
def test_both_lists_count_where_the_profile_is_read(run: Any, add: Any, profile: Any) -> None:
    add("Zorkmid\n", *profile)
    add("Frobozz\n")
    with running(FakeModel(seed=1)) as app, Tap(urlsplit(app.url).port) as tap:
        cloud = ("--cloud", tap.url, "--slm", "fake:2", "--max-tokens", 2)
        ask = ("generate", "--query", "Zorkmid Frobozz Plugh", "--guard", "stand-in", *cloud)
        assert run(*ask, *profile)[0] == 0
        heard = tap.heard
    sent = [
        word for word in ("Zorkmid", "Frobozz", "Plugh") if contains(heard, word, word.encode())
    ]
    assert sent == ["Plugh"]
