"""Files that appear whole or not at all, and never in the place of others."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError, ProfileSpaceError
from costeer.profile import files


def test_a_file_appears_when_it_is_whole(tmp_path: Path) -> None:
    with files.new_file(tmp_path / "new") as partial:
        partial.write_text("half")
        assert not (tmp_path / "new").exists()
        partial.write_text("whole")
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new").read_text() == "whole"


@pytest.mark.parametrize("make", [files.new_file, files.new_folder])
def test_a_failure_leaves_nothing(tmp_path: Path, make: Any) -> None:
    with pytest.raises(KeyboardInterrupt), make(tmp_path / "new"):
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [files.new_file, files.new_folder])
def test_what_exists_is_never_replaced_even_if_it_appears_meanwhile(
    tmp_path: Path, make: Any
) -> None:
    (tmp_path / "old").write_text("mine")
    with pytest.raises(InputError, match="exists already"), make(tmp_path / "old"):
        pass
    with pytest.raises((InputError, OSError)), make(tmp_path / "new") as partial:
        if partial.is_dir():
            (partial / "inside").write_text("theirs")
            (tmp_path / "new").mkdir()
            (tmp_path / "new" / "file").write_text("mine")
        else:
            partial.write_text("theirs")
            (tmp_path / "new").write_text("mine")
    mine = tmp_path / "new"
    assert (mine / "file" if mine.is_dir() else mine).read_text() == "mine"
    assert (tmp_path / "old").read_text() == "mine"


def test_a_dangling_link_is_something_that_exists(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(InputError):
        files.refuse_existing(tmp_path / "link")


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no folder"):
        files.refuse_existing(tmp_path / "none" / "file")


def test_replace_leaves_the_old_file_if_it_fails(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("old")
    with pytest.raises(UnicodeEncodeError):
        files.replace(tmp_path / "one", "\ud800")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_modes(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with files.new_file(tmp_path / "file"):
            pass
        with files.new_folder(tmp_path / "folder"):
            pass
        files.make_folder(tmp_path / "a" / "b")
    finally:
        os.umask(before)
    modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in tmp_path.rglob("*")}
    assert modes == {"file": 0o600, "folder": 0o700, "a": 0o700, "b": 0o700}


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_a_full_disk_has_a_word_of_its_own() -> None:
    with pytest.raises(ProfileSpaceError, match="disk is full"), files.disk_errors():
        Path("/dev/full").write_text("x")
