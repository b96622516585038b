"""Streams, folders and variables that are not as usual: one clear line each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from costeer.cli.generate import destination

FAKE = ("--cloud", "in-process", "--llm", "fake:1", "--slm", "fake:2", "--max-tokens", "8")
QUERY = ("generate", "--query", "Hi")


def run_process(*arguments: Any, shell: Any = "", **options: Any) -> Any:
    """In a process of its own, with redirections as the shell writes them."""
    line = [sys.executable, "-m", "costeer", *arguments]
    command = ["sh", "-c", f'"$@" {shell}', "sh", *line]
    environment = {**os.environ, "COLUMNS": "200"} | options.pop("env", {})
    return subprocess.run(
        command, capture_output=True, env=environment, timeout=60, check=False, **options
    )


def told(done: Any, words: Any, code: Any = 1) -> Any:
    err = done.stderr.decode("utf-8", "replace")
    assert words in err
    assert "bug" not in err
    assert "Traceback" not in err
    assert done.returncode == code
    return err


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_terminal_that_cannot_spell_the_answer(encoding: Any) -> None:
    done = run_process(*QUERY, *FAKE, env={"PYTHONIOENCODING": encoding})
    told(done, "8 tokens at", code=0)
    assert done.stdout


@pytest.mark.slow
@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")  # noqa: PTH110
def test_a_full_disk() -> None:
    told(run_process(*QUERY, *FAKE, shell="> /dev/full"), "No space left on device")
    told(run_process("--help", shell="> /dev/full"), "No space left on device")


@pytest.mark.slow
def test_a_closed_standard_output() -> None:
    told(run_process(*QUERY, *FAKE, shell=">&-"), "Standard output is closed", code=2)


@pytest.mark.slow
def test_a_closed_standard_input() -> None:
    told(run_process("generate", "--query", "-", *FAKE, shell="<&-"), "closed", code=2)
    told(run_process("chat", *FAKE, shell="<&-"), "Ctrl-D leaves", code=0)


@pytest.mark.slow
def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    script = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    line = [sys.executable, "-m", "costeer", *QUERY, *FAKE]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        ["sh", "-c", script, "sh", *line],
        capture_output=True,
        cwd=tmp_path,
        env=environment,
        timeout=60,
        check=False,
    )
    told(done, "8 tokens at", code=0)


@pytest.mark.slow
def test_proxies_and_certificates_that_cannot_be_used() -> None:
    far = ("--cloud", "http://192.0.2.1:9", "--slm", "fake:2")
    told(run_process(*QUERY, *far, env={"ALL_PROXY": "socks5://127.0.0.1:9"}), "proxy", code=2)
    secure = ("--cloud", "https://127.0.0.1:9", "--slm", "fake:2")
    told(run_process(*QUERY, *secure, env={"SSL_CERT_FILE": "/nope"}), "SSL_CERT_FILE", code=2)


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="no such device")  # noqa: PTH110
def test_a_file_without_end(run: Any) -> None:
    code, _, err = run(*QUERY, "--context-file", "/dev/zero", *FAKE)
    assert (code, "larger than 16 MB" in err) == (2, True)


@pytest.mark.slow
def test_ctrl_c_twice_is_as_quiet_as_once() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "costeer", *QUERY, *FAKE[:-1], "3600"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout.read(1)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.002)
    _, err = process.communicate(timeout=30)
    assert process.returncode in (130, -signal.SIGINT, 1)
    assert b"bug" not in err
    assert b"Traceback" not in err


@pytest.mark.parametrize(
    ("cloud", "words"),
    [
        ("local", ""),
        ("https://host", "Your query goes to https://host/v1."),
        ("http://127.0.0.1:9", "Your query goes to http://127.0.0.1:9/v1."),
        (
            "http://10.0.0.1:9",
            "Your query goes to http://10.0.0.1:9/v1, unencrypted: anyone on the way can read "
            "it. Use https.",
        ),
    ],
)
def test_where_the_query_goes(cloud: Any, words: Any) -> None:
    assert destination(cloud) == words


DESTRUCTOR = """
import costeer.cli.main as command

class Bad:
    def __del__(self):
        raise ValueError("secret words")

command.cli.main = lambda **_: Bad() and 0
command.main()
"""


@pytest.mark.slow
def test_the_message_of_a_failing_destructor_is_not_printed() -> None:
    done = subprocess.run([sys.executable, "-c", DESTRUCTOR], capture_output=True, check=False)
    assert b"ValueError" in done.stderr
    assert b"secret" not in done.stderr + done.stdout
