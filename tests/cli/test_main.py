"""Which commands there are, and what a first argument that is none of them means."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest


def test_the_experiments_are_offered_with_their_extra_only(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("rouge_score", "nltk", "bm25s"):
        pytest.importorskip(package)
    assert "Run the benchmarks" in run("--help")[1]
    assert run("eval", "--help")[0] == 0
    monkeypatch.setitem(sys.modules, "rouge_score", None)  # as Python has it for what is missing
    _, out, _ = run("--help")
    assert "Run the benchmarks" not in out
    assert "doctor" in out
    code, out, err = run("eval", "table", "scores.jsonl")
    assert (code, out) == (1, "")
    assert 'pip install "costeer[evals]"' in err


FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 5, "--json")


@pytest.mark.parametrize("query", ["Hello there", "Grüße aus Ærø", "two\nlines", "generate a poem"])
def test_a_first_argument_with_a_space_is_a_query(run: Any, query: Any) -> None:
    code, out, _ = run(query, *FAKE)
    assert code == 0
    assert json.loads(out)["token_ids"] == json.loads(run("generate", query, *FAKE)[1])["token_ids"]


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("generat", "Did you mean 'generate'?"),
        ("chats", "Did you mean 'chat'?"),
        ("dcotor", "Did you mean 'doctor'?"),
        ("Porto", 'To ask it: costeer generate "Porto"'),
        ("", "There is no command ''"),
    ],
)
def test_a_single_word_is_a_command_or_an_error_that_says_how_to_go_on(
    run: Any, word: Any, advice: Any
) -> None:
    code, out, err = run(word, *FAKE)
    assert (code, out) == (2, "")
    assert advice in err


def test_options_before_the_query_are_those_of_generate(run: Any) -> None:
    line = ("--seed", 7, "--temperature", 1, *FAKE)
    code, out, err = run(*line, "Hello there")
    assert code == 0, err
    assert json.loads(out)["token_ids"] == json.loads(run("Hello there", *line)[1])["token_ids"]
    code, out, err = run("--strenght", "auto")
    assert (code, out) == (2, "")
    assert "Did you mean" in err and "--strength" in err
    assert run("--version")[1].startswith("costeer, version ")
    assert run("-h")[1] == run("--help")[1]


def test_a_query_that_begins_with_a_dash(run: Any) -> None:
    code, out, err = run(*FAKE, "--", "-5 degrees outside?")
    assert code == 0, err
    assert json.loads(out)["steps"] == 5


def test_the_query_is_an_argument_an_option_a_file_or_standard_input(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "q.txt").write_text("Hello there", "utf-8")
    answers = []
    for line in (
        ("generate", "Hello there"),
        ("generate", "--query", "Hello there"),
        ("generate", "--query-file", "q.txt"),
        ("generate", "-"),
    ):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"Hello there")))
        code, out, err = run(*line, *FAKE)
        assert code == 0, err
        answers.append(json.loads(out)["token_ids"])
    assert answers == answers[:1] * 4
    code, out, err = run("generate", "Hello there", "--query", "Hello", *FAKE)
    assert (code, out) == (2, "")
    assert "twice" in err


@pytest.mark.slow
def test_the_context_comes_from_the_settings_unless_it_is_given(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "me.txt").write_text("I am a sailor.", "utf-8")
    (tmp_path / "other.txt").write_text("I am a baker.", "utf-8")
    monkeypatch.setenv("COSTEER_CONTEXT_FILE", str(tmp_path / "me.txt"))
    strong = (*FAKE, "--strength", "2", "--max-tokens", 20)

    def answer(*options: Any) -> Any:
        code, out, err = run("generate", "Hello there", *strong, *options)
        assert code == 0, err
        return json.loads(out)["token_ids"]

    named = answer("--context-file", "me.txt")
    assert answer() == named
    assert answer("--context-file", "other.txt") != named
    assert answer("--context", "I am a baker.") == answer("--context-file", "other.txt")
    assert answer("--context", "") != named  # none, said in plain words
    monkeypatch.setenv("COSTEER_CONTEXT_FILE", str(tmp_path / "gone.txt"))
    code, out, err = run("generate", "Hello there", *strong)
    assert (code, out) == (2, "")
    assert "gone.txt" in err
