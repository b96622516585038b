import os
import stat
from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy.folder import make_private, private_folder, read_private, write_private

posix = pytest.mark.skipif(os.name == "nt", reason="permissions are another matter there")


def mode(path: Any) -> Any:
    return stat.S_IMODE(path.stat().st_mode)


@posix
def test_folder_and_files_are_for_their_owner_alone(tmp_path: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("COSTEER_PRIVATE", str(tmp_path / "a" / "b"))
    folder = private_folder()
    assert mode(folder) == 0o700
    write_private(folder / "x", "ä\n")
    assert mode(folder / "x") == 0o600
    assert read_private(folder / "x") == "ä\n"


@posix
def test_a_folder_that_others_can_read_is_closed(tmp_path: Any) -> None:
    (tmp_path / "open").mkdir(mode=0o755)
    assert mode(make_private(tmp_path / "open")) == 0o700


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Any) -> None:
    write_private(tmp_path / "x", "old")
    with pytest.raises(UnicodeEncodeError):
        write_private(tmp_path / "x", "new \ud800")
    assert read_private(tmp_path / "x") == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_what_cannot_be_made_written_or_read_is_said(tmp_path: Any) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GuardError, match="cannot be made"):
        make_private(tmp_path / "file" / "folder")
    with pytest.raises(GuardError, match="cannot be written"):
        write_private(tmp_path / "missing" / "x", "")
    (tmp_path / "bad").write_bytes(b"\xff")
    with pytest.raises(GuardError, match="cannot be read"):
        read_private(tmp_path / "bad")
    assert read_private(tmp_path / "missing") is None
