"""``costeer profile``: who may open it; at a terminal, without one, with a keyring."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from costeer.profile import profiles
from costeer.profile.keys import read_recovery_code
from tests.support.profiles import FAST, PASSPHRASE

pty = pytest.importorskip("pty", reason="terminals are POSIX's")


def handle(text: Any) -> Any:
    """A file descriptor from which a text can be read."""
    read, write = os.pipe()
    os.write(write, text.encode())
    os.close(write)
    return read


@pytest.mark.slow
def test_init_shows_the_recovery_code_once(command: Any, home: Any) -> None:
    code, out, err = command("init")
    assert code == 0
    assert read_recovery_code(out) == out.strip()
    assert "write it down" in err
    profiles.open_by_secret("default", out, "recovery").close()
    assert command("list")[:2] == (0, "")
    assert json.loads(command("names", "--json")[1]) == ["default"]


def test_init_overwrites_nothing(profile_command: Any, home: Any) -> None:
    before = (home / "default" / "key.json").read_bytes()
    code, out, err = profile_command("init")
    assert (code, out) == (2, "")
    assert "exists already" in err
    assert (home / "default" / "key.json").read_bytes() == before


@pytest.mark.slow
def test_init_with_a_keyring_unlock_and_lock(
    command: Any, memory_keyring: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = json.loads(command("init", "--json")[1])
    assert fields["keyring"] is True
    file = os.environ["COSTEER_PASSPHRASE_FILE"]
    monkeypatch.delenv("COSTEER_PASSPHRASE_FILE")
    assert command("list")[0] == 0  # nobody was asked
    assert command("lock")[0] == 0
    assert memory_keyring.entries == {}
    monkeypatch.setenv("COSTEER_PASSPHRASE_FILE", file)
    assert command("unlock")[0] == 0
    monkeypatch.delenv("COSTEER_PASSPHRASE_FILE")
    assert command("list")[0] == 0


def test_unlock_without_a_keyring_fails_and_says_why(profile_command: Any) -> None:
    code, _, err = profile_command("unlock")
    assert code == 1
    assert "no keyring" in err


def test_a_passphrase_by_file_descriptor(
    profile_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("COSTEER_PASSPHRASE_FILE")
    assert profile_command("list", "--passphrase-fd", handle(PASSPHRASE + "\r\n"))[0] == 0
    for text, message in [("wrong one", "wrong"), ("", "not one line"), ("a\nb", "not one line")]:
        code, _, err = profile_command("list", "--passphrase-fd", handle(text))
        assert code != 0
        assert message in err
    assert "No passphrase" in profile_command("list", "--passphrase-fd", 987)[2]


def test_a_passphrase_file_that_others_can_read_is_told(profile_command: Any) -> None:
    Path(os.environ["COSTEER_PASSPHRASE_FILE"]).chmod(0o644)
    code, _, err = profile_command("list")
    assert code == 0
    assert "chmod 600" in err


@pytest.mark.slow
def test_changing_the_passphrase(profile_command: Any) -> None:
    code, out, _ = profile_command(
        "passphrase", "--new-passphrase-fd", handle("another passphrase")
    )
    assert code == 0
    profiles.open_by_secret("default", "another passphrase").close()
    profiles.open_by_secret("default", out, "recovery").close()
    assert profile_command("list")[0] == 1  # the old one


def test_wipe(profile_command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    code, _, err = profile_command("wipe", "--yes")
    assert code == 0
    assert "removed" in err
    assert profile_command("list")[0] == 2


def child(arguments: Any, home: Any, terminal: Any = None, **variables: Any) -> Any:
    """``costeer`` in a session of its own, whose terminal, if any, is ``terminal``."""
    environment = {**os.environ, "COSTEER_PROFILES": str(home), **variables}
    environment["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return subprocess.Popen(
        [sys.executable, "-m", "costeer", *arguments],
        stdin=subprocess.DEVNULL if terminal is None else terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        start_new_session=True,
    )


@pytest.mark.slow
def test_without_a_terminal_nobody_is_asked(home: Any) -> None:
    profiles.create("default", PASSPHRASE, FAST)
    process = child(["profile", "list"], home)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert out == b""
    assert b"no terminal to ask at" in err


def answer(arguments: Any, home: Any, replies: Any) -> Any:
    """Run at a terminal of its own, and type a reply at each question; (exit code, all shown)."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["COSTEER_PROFILES"] = str(home)
        os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
        os.execv(sys.executable, [sys.executable, "-m", "costeer", *arguments])
    shown = b""
    replies = list(replies)
    while True:
        try:
            part = os.read(terminal, 1000)
        except OSError:  # the other end has closed
            break
        if not part:
            break
        shown += part
        if replies and shown.endswith(replies[0][0].encode()):
            os.write(terminal, replies.pop(0)[1].encode())
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown.decode()


@pytest.mark.slow
def test_at_a_terminal_the_passphrase_is_asked_for_and_not_shown(home: Any) -> None:
    profiles.create("default", PASSPHRASE, FAST)
    question = "Passphrase of the profile default: "
    code, shown = answer(["profile", "list"], home, [(question, f"{PASSPHRASE}\n")])
    assert code == 0
    assert PASSPHRASE not in shown
    code, shown = answer(["profile", "list"], home, [(question, "wrong passphrase\n")])
    assert code == 1
    assert "The passphrase is wrong." in shown


@pytest.mark.slow
def test_ctrl_c_at_the_question_ends_it(home: Any) -> None:
    profiles.create("default", PASSPHRASE, FAST)
    code, shown = answer(
        ["profile", "list"], home, [("Passphrase of the profile default: ", "\x03")]
    )
    assert code == 130
    assert "Traceback" not in shown


@pytest.mark.slow
def test_a_new_passphrase_is_typed_twice(home: Any) -> None:
    asked = [("New passphrase: ", f"{PASSPHRASE}\n"), ("Once more: ", "something else\n")]
    code, shown = answer(["profile", "init"], home, asked)
    assert code == 2
    assert "not the same twice" in shown
    assert profiles.names() == []
    asked[1] = ("Once more: ", f"{PASSPHRASE}\n")
    assert answer(["profile", "init"], home, asked)[0] == 0
    profiles.open_by_secret("default", PASSPHRASE).close()


@pytest.mark.slow
def test_recovery_and_wipe_at_a_terminal(home: Any) -> None:
    recovery = profiles.create("default", PASSPHRASE, FAST)
    asked = [
        ("Recovery code: ", recovery.lower() + "\n"),
        ("New passphrase: ", "another passphrase\n"),
        ("Once more: ", "another passphrase\n"),
    ]
    assert answer(["profile", "passphrase", "--recovery"], home, asked)[0] == 0
    profiles.open_by_secret("default", "another passphrase").close()
    question = "Type default to remove it for good: "
    assert answer(["profile", "wipe"], home, [(question, "no\n")])[0] == 130
    assert profiles.names() == ["default"]
    assert answer(["profile", "wipe"], home, [(question, "default\n")])[0] == 0
    assert profiles.names() == []
