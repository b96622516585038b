"""``costeer profile`` as a person meets it: records."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any

import pytest

from costeer.cli.profile import command as group

CANARY = "kanarienvogel-7919"


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put text on standard input."""

    def typed(text: Any) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    return typed


@pytest.fixture
def add(profile_command: Any, typed: Any) -> Any:
    def add(text: Any, *options: Any) -> Any:
        typed(text)
        return profile_command("add", *options)

    return add


@pytest.mark.parametrize("name", [(), *((name,) for name in group.commands)])
def test_help_has_examples(command: Any, name: Any) -> None:
    code, out, _ = command(*name, "--help")
    assert code == 0
    assert "Example" in out
    assert "costeer profile" in out


@pytest.mark.slow
def test_add_list_show_edit_rm(profile_command: Any, add: Any, typed: Any) -> None:
    assert add("I am vegan.\n", "--kind", "preference")[:2] == (0, "Record 1 is new.\n")
    assert add("I am  vegan.", "--kind", "preference")[1] == "Record 1 is there already.\n"
    assert add("x" * 100)[0] == 0
    code, out, err = profile_command("list")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].split() == ["1", "preference", "on", "I", "am", "vegan."]
    assert lines[1].endswith("x ...")
    assert profile_command("list", "--kind", "fact")[1].count("\n") == 1
    assert profile_command("show", 1)[1].startswith("1 preference | typed")
    assert "off" in profile_command("edit", 1, "--off")[1]
    assert "off" in profile_command("list", "--off")[1]
    typed("I eat fish again.")
    assert "fish" in profile_command("edit", 1, "--text-file", "-", "--on")[1]
    assert profile_command("rm", 1, 2)[1] == "Removed 2.\n"
    assert profile_command("list")[:2] == (0, "")


@pytest.mark.slow
def test_a_record_is_added_to_be_sent(profile_command: Any, add: Any) -> None:
    said = "Record 1 is new. It goes to the large model with every question.\n"
    assert add("Answer in Spanish.", "--send")[1] == said
    assert "there already" in add("[send] Answer in Spanish.", "--send")[1]
    assert "sent to the large model" in profile_command("search", "--why", "Hi")[1]
    assert add("[withheld]\nMy code is 4471.", "--send")[1] == "Record 2 is new.\n"
    for wrong in (("", "--send"), ("[send]", "--send"), ("All.", "--kind", "sample", "--send")):
        code, out, err = add(*wrong)
        assert code == 2 and not out and "Traceback" not in err
    assert profile_command("list")[1].count("\n") == 2


def test_json(profile_command: Any, add: Any) -> None:
    record = json.loads(add("Grüße \x1b[31m", "--title", "t", "--json")[1])
    assert record["text"] == "Grüße  [31m"
    for arguments in (("list",), ("show", 1), ("search", "Grüße")):
        (same,) = json.loads(profile_command(*arguments, "--json")[1])
        assert record.items() <= same.items()
    assert json.loads(profile_command("list", "--off", "--json")[1]) == []


def test_search_and_why(profile_command: Any, add: Any) -> None:
    add("I am vegan.", "--kind", "preference")
    add("My name is Anna, and a dog is mine.")
    add("The spot for dinners in spring.", "--kind", "sample")
    _, out, _ = profile_command("search", "Recommend a dinner spot")
    assert out.split("\n")[0].split()[:2] == ["3", "sample"]
    assert "matches: spot, dinners" in out
    _, out, _ = profile_command("search", "--why", "Recommend a dinner spot")
    reasons = [line.strip() for line in out.splitlines()[1::2]]
    assert reasons == [
        "pinned: every preference is read",
        "pinned: every fact is read",
        "matches: spot, dinners",
    ]
    _, out, _ = profile_command("search", "--why", "--budget", 40, "Recommend a dinner spot")
    assert "left out: no room" in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("show", 9), 2, "no record 9"),
        (("rm", 9), 2, "no record 9"),
        (("edit", 9, "--off"), 2, "no record 9"),
        (("edit", 1), 2, "what to change"),
        (("add", "--text-file", "nowhere.txt"), 2, "cannot be read"),
        (("list", "--profile", "none"), 2, "no profile"),
        (("list", "--profile", "../x"), 2, "no name"),
        (("import", "nowhere"), 2, "no file"),
        (("search", "--why", "--kind", "fact", "x"), 2, "--why"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    profile_command: Any, arguments: Any, code: Any, message: Any
) -> None:
    got, out, err = profile_command(*arguments)
    assert (got, out) == (code, "")
    assert message in err
    assert "Traceback" not in err


@pytest.mark.parametrize("text", ["", " \n\t", "nul \0"])
def test_an_empty_or_binary_text_is_refused_before_the_profile_is_opened(
    add: Any, text: Any
) -> None:
    code, out, err = add(text)
    assert (code, out) == (2, "")
    assert "empty" in err or "NUL" in err


def test_errors_hold_no_private_text(profile_command: Any, add: Any, home: Any) -> None:
    add(CANARY)
    add(f"{CANARY} two")
    file = home / "default" / "profile.db"
    content = bytearray(file.read_bytes())
    content[9000] ^= 1
    for damage in (bytes(content), b"SQLite format 3\0" + CANARY.encode() * 500):
        file.write_bytes(damage)
        for arguments in (("list",), ("search", CANARY), ("check",), ("rm", 1)):
            _, out, err = profile_command(*arguments)
            assert CANARY not in err
            if damage[:6] == b"SQLite":
                assert out == ""


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; import costeer.cli.main, costeer.cli.generate, costeer.cli.profile; "
        "print(sorted({'sqlcipher3', 'cryptography', 'keyring'} & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout == "[]\n"


def test_without_the_extra_it_says_what_to_install(
    profile_command: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "sqlcipher3", None)
    code, _, err = profile_command("list")
    assert code == 1
    assert 'pip install "costeer[profile]"' in err
