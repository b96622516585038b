"""``costeer profile``: files in and out."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from costeer.profile import profiles
from costeer.profile.records import Draft
from tests.support.profiles import PASSPHRASE


@pytest.fixture
def filled(profile_command: Any) -> Any:
    with profiles.open_by_secret("default", PASSPHRASE) as profile:
        profile.records.add(Draft("fact", "I am Anna."))
    return profile_command


def test_import_twice_and_dry_run(profile_command: Any, tmp_path: Path) -> None:
    (tmp_path / "facts.txt").write_text("I am Anna.\r\n\r\nI am vegan.", "utf-8")
    arguments = ("import", tmp_path / "facts.txt", "--kind", "fact")
    assert "2 would be new" in profile_command(*arguments, "--dry-run")[1]
    assert profile_command("list")[1] == ""
    assert "2 records read, 2 are new." in profile_command(*arguments)[1]
    assert "2 records read, 0 are new." in profile_command(*arguments)[1]
    fields = json.loads(profile_command(*arguments, "--json")[1])
    assert fields == {"read": 2, "new": 0, "skipped": {}, "dry_run": False}


def test_import_says_what_it_left_out(profile_command: Any, tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\nno json\n')
    assert (
        "Left out: 1, not a line of JSON (a.jsonl:2)."
        in profile_command("import", tmp_path / "a.jsonl")[1]
    )


@pytest.mark.parametrize(
    ("form", "expected"), [("jsonl", '"text": "I am Anna."'), ("markdown", "> I am Anna.")]
)
def test_export_in_the_clear(filled: Any, tmp_path: Path, form: Any, expected: Any) -> None:
    target = tmp_path / "out"
    assert filled("export", target, "--format", form, "--yes")[0] == 0
    assert expected in target.read_text("utf-8")
    if os.name == "posix":
        assert stat.S_IMODE(target.stat().st_mode) == 0o600
    code, _, err = filled("export", target, "--yes")
    assert code == 2
    assert "nothing is overwritten" in err


@pytest.mark.slow
def test_the_documented_command_opens_an_encrypted_export(filled: Any, tmp_path: Path) -> None:
    """With the passphrase alone; here by the library, which is the tool's own."""
    read, write = os.pipe()
    os.write(write, b"export passphrase")
    os.close(write)
    target = tmp_path / "me.db"
    options = ("--format", "sqlcipher", "--new-passphrase-fd", read)
    assert filled("export", target, *options)[0] == 0
    script = (
        "import sqlcipher3.dbapi2 as s, sys; c = s.connect(sys.argv[1]); "
        "c.execute(\"PRAGMA key = 'export passphrase'\"); "
        "print(c.execute('SELECT text FROM records').fetchall())"
    )
    out = subprocess.run(
        [sys.executable, "-c", script, target], capture_output=True, text=True, check=True
    )
    assert out.stdout == "[('I am Anna.',)]\n"


def test_backup_restore_check(filled: Any, tmp_path: Path) -> None:
    assert filled("backup", tmp_path / "backup")[0] == 0
    assert filled("init", "--profile", "again", "--from", tmp_path / "backup")[0] == 0
    assert "I am Anna." in filled("list", "--profile", "again")[1]
    assert filled("check", "--profile", "again")[:2] == (0, "      1  fact\n")
    assert filled("backup", tmp_path / "backup")[0] == 2
