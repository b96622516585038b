"""The command line as a person meets it: exit codes, one clear line, nothing half-written."""

from __future__ import annotations

import io
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import pytest

from costeer.cli.main import COMMANDS
from costeer.cli.terminal import clean
from costeer.cloud.server.process import ServerProcess
from costeer.edge.prompts import GUIDE
from tests.support.faults import Fault, FaultProxy

FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2")


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with ServerProcess("fake:1") as process:
        yield process


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)])
def test_help(run: Any, command: Any) -> None:
    code, out, _ = run(*command, "--help")
    assert code == 0
    assert "costeer" in out
    assert "Example" in out


def test_generate_writes_the_answer_to_stdout_and_the_story_to_stderr(run: Any) -> None:
    code, out, err = run("generate", "--query", "Hi", "--context", "me", "--max-tokens", 9, *FAKE)
    assert code == 0
    assert out
    assert "9 tokens" in err
    assert "every token proven" in err


FIELDS = (
    "text token_ids finish_reason steps changed proven retried unproven requests bytes_up "
    "bytes_down prompt_tokens seconds tokens_per_second strength gain mode"
)


@pytest.mark.slow
def test_json(run: Any, server: Any) -> None:
    code, out, _ = run(
        *("generate", "--query", "Hi", "--context", "ich", "--json", "--max-tokens", 12),
        *("--cloud", server.url, "--slm", "fake:2", "--strength", "light"),
    )
    assert code == 0
    result = json.loads(out)
    assert set(FIELDS.split()) <= set(result)
    assert result["steps"] == len(result["token_ids"]) == 12
    assert result["proven"] + result["retried"] == 12
    assert result["strength"] == "light"
    assert result["gain"] == pytest.approx(0.4762, abs=1e-4)
    assert result["bytes_up"] > 0 < result["bytes_down"]


@pytest.mark.slow
def test_a_server_and_a_model_in_this_process_give_the_same(run: Any, server: Any) -> None:
    line = ("generate", "--query", "Hi ä", "--context", "me", "--json", "--max-tokens", 20)
    options = ("--slm", "fake:2", "--strength", "1", "--temperature", "0.9", "--seed", "3")
    remote = json.loads(run(*line, *options, "--cloud", server.url)[1])
    here = json.loads(run(*line, *options, "--cloud", "in-process", "--llm", "fake:1")[1])
    assert remote["token_ids"] == here["token_ids"]


def test_texts_from_files_and_standard_input(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "q.txt").write_text("\ufeffWie geht's?", "utf-8")
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("Ich mag Käse.".encode())))
    common = ("--context-file", "-", "--max-tokens", 3, "--json", *FAKE)
    code, out, _ = run("generate", "--query-file", tmp_path / "q.txt", *common)
    assert code == 0
    assert json.loads(out)["steps"] == 3


def closed_port() -> Any:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


QUERY = ("generate", "--query", "Hi")


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("generate",), 2, "query is empty"),
        (("generate", "--query", "  "), 2, "query is empty"),
        (("generate", "--query-file", "nowhere.txt"), 2, "nowhere.txt"),
        (("generate", "--query", "a", "--query-file", "b"), 2, "Both --query and"),
        (("generate", "--query", "-", "--context", "-"), 2, "Only one text"),
        ((*QUERY, "--context-file", "bad.txt"), 2, "not UTF-8"),
        ((*QUERY, "--context-file", "nul.txt"), 2, "NUL"),
        ((*QUERY, "--context-file", "."), 2, "cannot be read"),
        ((*QUERY, "--strength", "much"), 2, "neither a name nor a number"),
        ((*QUERY, "--temperature", "-1"), 2, "temperature"),
        ((*QUERY, "--top-p", "7"), 2, "top_p"),
        ((*QUERY, "--top-k", "0"), 2, "top-k"),
        ((*QUERY, "--max-tokens", "no"), 2, "max-tokens"),
        ((*QUERY, "--max-tokens", "5000", *FAKE), 2, "room"),
        ((*QUERY, "--context-file", "long.txt", *FAKE), 2, "first record of the context"),
        ((*QUERY, "--slm", "nothing-like-it", "--llm", "fake:1"), 2, "nothing-like-it"),
        ((*QUERY, "--slm", "fake:2"), 1, "costeer models fetch"),
        ((*QUERY, "--cloud", "nonsense"), 2, "neither a URL"),
        ((*QUERY, "--cloud", "ftp://host", "--slm", "fake"), 2, "http"),
        (("nonsense",), 2, "nonsense"),
        (("chat", "--context", "-"), 2, "Standard input"),
        (("serve", "--model", "nothing-like-it"), 2, "nothing-like-it"),
        (("models", "fetch", "nothing-like-it"), 2, "nothing-like-it"),
    ],
)
def test_bad_input(run: Any, tmp_path: Path, arguments: Any, code: Any, words: Any) -> None:
    (tmp_path / "bad.txt").write_bytes(b"caf\xe9")
    (tmp_path / "nul.txt").write_bytes(b"a\0b")
    (tmp_path / "long.txt").write_text("word" * 3000)
    got, out, err = run(*arguments)
    assert (got, out) == (code, "")
    assert words in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_no_server(run: Any) -> None:
    url = f"http://127.0.0.1:{closed_port()}"
    code, out, err = run(*QUERY, "--cloud", url, "--slm", "fake:2")
    assert (code, out) == (1, "")
    assert "costeer serve" in err


def test_settings_from_a_file_and_the_environment(
    run: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COSTEER_LLM", "fake:1")
    monkeypatch.setenv("COSTEER_SLM", "fake:2")
    (tmp_path / "costeer.toml").write_text("max_tokens = 4\n")
    assert json.loads(run(*QUERY, "--json")[1])["steps"] == 4
    monkeypatch.setenv("COSTEER_MAX_TOKENS", "6")
    assert json.loads(run(*QUERY, "--json")[1])["steps"] == 6
    assert json.loads(run(*QUERY, "--json", "--max-tokens", 2)[1])["steps"] == 2
    (tmp_path / "costeer.toml").write_text("colour = 1\n")
    code, _, err = run(*QUERY)
    assert code == 2
    assert "'colour', which is not a setting" in err


def test_doctor(run: Any, server: Any) -> None:
    code, out, _ = run("doctor", "--json", "--cloud", server.url, "--slm", "fake:2")
    findings = {finding["check"]: finding for finding in json.loads(out)}
    assert code == 1  # the default pair is not fetched here
    assert findings["Python"]["state"] == "ok"
    assert findings["model qwen2.5-coder-0.5b"]["remedy"].startswith("costeer models fetch")
    assert findings["cloud"]["state"] == "ok"
    busy = server.url.rsplit(":", 1)[1]
    _, out, _ = run("doctor", "--port", busy)
    assert f"port {busy}: in use" in out


def start(*arguments: Any, **environ: Any) -> Any:
    environment = os.environ | {"PYTHONUNBUFFERED": "1"} | environ
    return subprocess.Popen(
        [sys.executable, "-m", "costeer", *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )


@pytest.mark.slow
def test_ctrl_c_stops_an_answer_and_keeps_it() -> None:
    process = start(*QUERY, "--context", "me", "--max-tokens", 3600, *FAKE)
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "tokens at" in err
    assert "Traceback" not in err


@pytest.mark.usefixtures("no_collection")
@pytest.mark.slow
def test_ctrl_c_under_json_prints_what_there_is(run: Any) -> None:
    timer = threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    code, out, _ = run(*QUERY, "--context", "me", "--max-tokens", 3600, "--json", *FAKE)
    timer.cancel()
    result = json.loads(out)
    assert code == 130
    assert result["finish_reason"] == "interrupted"
    assert result["steps"] == len(result["token_ids"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize("as_json", [False, True])
def test_a_cloud_that_is_lost_in_the_middle(
    run: Any, server: Any, monkeypatch: pytest.MonkeyPatch, as_json: Any
) -> None:
    """The text so far, and one line with the reason."""
    monkeypatch.setenv("COSTEER_RETRIES", "1")
    line = (*QUERY, "--context", "me", "--max-tokens", 60, "--slm", "fake:2", "--json")
    whole = json.loads(run(*line, "--cloud", server.url)[1])
    line = line if as_json else line[:-1]
    with FaultProxy(server.url, chain(repeat(None, 5), repeat(Fault("reset")))) as proxy:
        code, out, err = run(*line, "--cloud", proxy.url)
        assert proxy.happened["reset"] >= 2  # two of a request; a stream and a wider step are two
    assert code == 1
    if as_json:
        result = json.loads(out)
        assert result["finish_reason"] == "error"
        assert result["error"] in err
        assert 1 <= result["steps"] < 60
        assert result["token_ids"] == whole["token_ids"][: result["steps"]]
    else:
        assert len(out) > 1
        assert clean(whole["text"]).startswith(out.removesuffix("\n").rstrip("\ufffd"))
        assert "tokens at" in err
    last = err.splitlines()[-1]
    assert last.startswith("costeer: The connection to the cloud server broke. Check ")
    assert err.count("costeer:") == 1
    assert "Traceback" not in err


@pytest.mark.slow
def test_a_text_that_ends_early_is_shown_to_its_end(
    run: Any, server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what was held back because it could have become a stop text."""
    monkeypatch.setenv("COSTEER_RETRIES", "0")
    line = (*QUERY, "--max-tokens", 60, "--slm", "fake:2", "--strength", 1)
    whole = json.loads(run(*line, "--cloud", server.url, "--json")[1])["text"]
    stops = [f"--stop={character}nothing like it" for character in set(whole)]
    outputs = []
    for options in ((), stops):
        with FaultProxy(server.url, chain(repeat(None, 9), repeat(Fault("cut")))) as proxy:
            outputs.append(run(*line, "--cloud", proxy.url, *options)[1])
    assert outputs[0] == outputs[1]
    assert len(outputs[0]) > 2


@pytest.mark.slow
def test_a_server_that_dies_in_the_middle() -> None:
    with ServerProcess("fake:1") as server:
        process = start(
            *(*QUERY, "--context", "me", "--max-tokens", 3600),
            *("--cloud", server.url, "--slm", "fake:2"),
            COSTEER_RETRIES="1",
        )
        assert process.stdout.read(1)
        server.close()
        out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out
    assert "Traceback" not in err
    assert "costeer:" in err.splitlines()[-1]


@pytest.mark.slow
def test_chat() -> None:
    lines = "Hello\n/strength 0.8\n/strength much\n/ledger\n/help\n\n/reset\nAgain\n/quit\n"
    process = start("chat", "--context", "zebra", "--max-tokens", 8, *FAKE)
    out, err = process.communicate(lines, timeout=30)
    assert process.returncode == 0
    assert out.strip()
    assert "The strength is 0.8" in err
    assert "neither a name nor a number" in err
    assert "Hello" in err  # the ledger
    assert "zebra" not in err
    assert err.count("8 tokens at") == 2


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--system", "Be brief.")])
def test_an_instruction_of_ones_own_takes_the_place_of_the_guide(options: Any) -> None:
    process = start("chat", "--context", "zebra", "--max-tokens", 2, *FAKE, *options)
    _, err = process.communicate(
        "Write a poem\n/reset\nWrite it again\n/ledger\n/quit\n", timeout=30
    )
    shown = " ".join(err.split())  # lines are wrapped
    assert (GUIDE in shown) is not bool(options)
    assert shown.count("Be brief.") == 2 * bool(options)


@pytest.mark.slow
def test_ctrl_c_in_a_chat_stops_the_answer_and_not_the_program() -> None:
    process = start("chat", "--context", "me", "--max-tokens", 3000, *FAKE)
    process.stdin.write("Hello\n")
    process.stdin.flush()
    assert process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate("/strength\n", timeout=30)
    assert process.returncode == 0
    assert "stopped" in err
    assert "The strength is" in err


@pytest.mark.slow
def test_demo_on_fakes() -> None:
    process = start("demo", "--llm", "fake:1", "--slm", "fake:2", "--max-tokens", 12)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    for words in ("stays in this process", "alone", "What the cloud has seen", "Speed"):
        assert words in out


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error() -> None:
    with start(*QUERY, "--context", "me", "--max-tokens", 100, *FAKE) as process:
        process.stdin.close()
        process.stdout.read(1)
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
