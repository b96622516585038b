"""``costeer guard``, and ``--guard`` and ``--epsilon`` of the commands that write."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.models.fake import FakeModel
from tests.support.canary import Tap
from tests.support.serving import running

CONTEXT = "My name is Maren Okafor."
WRITE = ("generate", "--slm", "fake:2", "--max-tokens", "12", "--context", CONTEXT)
HERE = ("--llm", "fake:1")


@pytest.fixture(autouse=True)
def folder(run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The private folder; ``run`` has removed every setting before."""
    monkeypatch.setenv("COSTEER_PRIVATE", str(tmp_path / "private"))
    return tmp_path / "private"


@pytest.fixture
def add(run: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """``costeer guard add`` with a line on standard input; the exit code."""

    def add(line: str, *options: str) -> Any:
        monkeypatch.setattr("sys.stdin", io.StringIO(line))
        return run("guard", "add", *options)[0]

    return add


def test_values_are_added_listed_and_removed(run: Any, add: Any, folder: Path) -> None:
    assert add("Maren Okafor\n", "--kind", "name") == 0
    assert add("Jardim Ünal\n", "--level", "withheld") == 0
    assert add("maren okafor\n", "--level", "open") == 0  # the same one
    listed = json.loads(run("guard", "list", "--json")[1])
    assert [(one["text"], one["level"]) for one in listed] == [
        ("Jardim Ünal", "withheld"),
        ("maren okafor", "open"),
    ]
    assert run("guard", "remove", "1")[0] == 0
    assert "Jardim" not in run("guard", "list")[1]
    assert (folder / "values.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("number", ["0", "7"])
def test_a_number_that_is_not_there_is_said(run: Any, number: str) -> None:
    code, _, err = run("guard", "remove", number)
    assert (code, "no value" in err) == (2, True)


def test_an_empty_value_is_refused(add: Any) -> None:
    assert add("\n") == 2


@pytest.mark.parametrize(("mode", "there"), [("off", True), ("stand-in", False), ("strict", False)])
def test_a_name_in_the_query_goes_up_only_without_a_guard(run: Any, mode: str, there: bool) -> None:
    with running(FakeModel(seed=1)) as app, Tap(urlsplit(app.url).port) as tap:
        query = ("--query", "Write to Maren Okafor.", "--guard", mode)
        assert run(*WRITE, "--cloud", tap.url, *query)[0] == 0
    name = ",".join(map(str, b"Maren")).encode()  # the fake model's ids are the bytes of a text
    assert (name in tap.heard.replace(b" ", b"")) == there


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--epsilon", "0", "--temperature", "1"), "positive"),
        (("--epsilon", "1"), "--temperature 1"),
        (("--guard", "much"), "stand-in"),
    ],
)
def test_what_cannot_be_is_said_before_models_are_loaded(
    run: Any, options: tuple[str, ...], words: str
) -> None:
    code, _, err = run(*WRITE, "--query", "Q", "--llm", "nothing-like-it", *options)
    assert (code, words in err) == (2, True)


def test_a_cap_is_kept_from_answer_to_answer(run: Any, folder: Path) -> None:
    capped = (*WRITE, *HERE, "--query", "Q", "--temperature", "1", "--epsilon", "0.5", "--json")
    for _ in range(3):
        code, out, _ = run(*capped)
        assert code == 0
        assert abs(json.loads(out)["evidence"]) <= 0.5
    assert list(folder.iterdir())


def test_the_meter_says_what_an_answer_gives_away(run: Any) -> None:
    assert "nats" in run(*WRITE, *HERE, "--query", "Q", "--strength", "2")[2]
    assert "nats" not in run(*WRITE, *HERE, "--query", "Q", "--strength", "off")[2]
