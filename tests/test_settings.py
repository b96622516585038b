"""The user's defaults: variables, then costeer.toml."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer import settings
from costeer.exceptions import UsageError
from costeer.settings import Settings


@pytest.mark.parametrize(
    ("toml", "environ", "field", "expected"),
    [
        ("", {}, "top_k", 64),
        ("top_k = 20", {}, "top_k", 20),
        ("retries = 9", {}, "retries", 9),
        ("top_k = 20", {"COSTEER_TOP_K": "30"}, "top_k", 30),
        ("temperature = 1", {}, "temperature", 1.0),
        ('strength = "paper"', {}, "strength", "paper"),
        ("strength = 0.8", {}, "strength", "0.8"),
        ("", {"COSTEER_SLM": ""}, "slm", None),
        ("", {"COSTEER_CLOUD": "http://x"}, "cloud", "http://x"),
        ("", {"COSTEER_HOME": "/somewhere", "COSTEER_DEBUG": "1"}, "cloud", "in-process"),
    ],
)
def test_the_environment_goes_before_the_file(
    tmp_path: Path, toml: Any, environ: Any, field: Any, expected: Any
) -> None:
    (tmp_path / "costeer.toml").write_text(toml)
    assert getattr(settings.load(environ, tmp_path), field) == expected


@pytest.mark.parametrize(
    ("toml", "environ", "words"),
    [
        ("colour = 1", {}, "not a setting"),
        ("top_k = [1]", {}, "not a whole number"),
        ("top_k = true", {}, "not a whole number"),
        ("top_k = inf", {}, "not a whole number"),
        ("max_tokens = 3.7", {}, "not a whole number"),
        ("max_tokens = 2026-11-24", {}, "not a whole number"),
        ("cloud = 2026-11-24", {}, "not text"),
        ("top_k = ", {}, "cannot be read"),
        ("", {"COSTEER_TOP_P": "much"}, "not a number"),
    ],
)
def test_what_is_not_understood(tmp_path: Path, toml: Any, environ: Any, words: Any) -> None:
    (tmp_path / "costeer.toml").write_text(toml)
    with pytest.raises(UsageError, match=words):
        settings.load(environ, tmp_path)


def test_a_file_that_is_not_text(tmp_path: Path) -> None:
    (tmp_path / "costeer.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match="cannot be read"):
        settings.load({}, tmp_path)


def test_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path))
    assert settings.home() == tmp_path
    monkeypatch.delenv("COSTEER_HOME")
    assert settings.home().name == "costeer"


def test_both_files_count_and_the_working_directory_goes_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here, own = tmp_path / "here", tmp_path / "own"
    here.mkdir()
    own.mkdir()
    monkeypatch.chdir(here)
    (own / "costeer.toml").write_text('cloud = "https://mine"\ntop_k = 20\n')
    (here / "costeer.toml").write_text("top_k = 30\n")
    found = settings.load({}, own)
    assert (found.cloud, found.top_k) == ("https://mine", 30)


@pytest.mark.parametrize(
    "name", ["api_key", "cloud", "context_file", "entity_model", "epsilon", "guard", "llm", "slm"]
)
def test_a_folder_does_not_choose_what_leaves_and_who_reads_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "costeer.toml").write_text(f'{name} = "http://elsewhere"\n')
    with pytest.raises(UsageError, match=f"sets {name}, but"):
        settings.load({}, tmp_path / "own")


def test_a_working_directory_that_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert settings.load({}, tmp_path).top_k == 64


def test_what_was_given_goes_before_the_settings() -> None:
    found = Settings(llm="big", top_k=20).override(
        {"llm": None, "top_k": 30, "temperature": 0.0, "stop": ("x",)}
    )
    assert found == Settings(llm="big", top_k=30)
