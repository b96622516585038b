"""However a download is cut short, what counts as arrived is whole parts, and they are right."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ModelFileError
from costeer.models.files.resumable import PartialFile, RealDisk


class Killed(BaseException):
    """Stands for the end of the process."""


def open_partial(folder: Any, plan: Any = "plan") -> Any:
    return PartialFile(Path(folder) / "x.partial", plan, RealDisk())


def cut_short(pieces: Any, after: Any) -> Iterator[Any]:
    yield from pieces[:after]
    raise Killed


byte_parts = st.lists(st.lists(st.binary(max_size=9), max_size=3), min_size=1, max_size=5)


@pytest.mark.slow
@given(byte_parts, st.lists(st.integers(0, 3), max_size=6), st.binary(max_size=5))
def test_killed_at_any_piece_and_resumed(wanted: Any, kills: Any, rubbish: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        partial = open_partial(folder)
        for after in kills:
            if partial.parts == len(wanted):
                break
            with suppress(Killed):
                partial.append(cut_short(wanted[partial.parts], after))
            with partial.path.open("ab") as file:
                file.write(rubbish)
            partial = open_partial(folder)
            if partial.parts < len(wanted) and after % 2:
                partial.append(wanted[partial.parts])
        while partial.parts < len(wanted):
            partial.append(wanted[partial.parts])
        whole = b"".join(piece for pieces in wanted for piece in pieces)
        assert partial.path.read_bytes() == whole
        assert (partial.size, partial.sha256) == (len(whole), hashlib.sha256(whole).hexdigest())


def begun(folder: Any) -> Any:
    partial = open_partial(folder)
    partial.append([b"one"])
    partial.append([b"two"])
    return partial


def test_reopening_goes_on(tmp_path: Path) -> None:
    begun(tmp_path)
    again = open_partial(tmp_path)
    assert (again.parts, again.size) == (2, 6)


@pytest.mark.parametrize(
    "harm",
    [
        lambda partial, note: note.write_text("{"),
        lambda partial, note: note.write_text("[]"),
        lambda partial, note: note.write_text('{"plan": "plan", "parts": 2}'),
        lambda partial, note: note.unlink(),
        lambda partial, note: partial.unlink(),
        lambda partial, note: partial.write_bytes(b"one"),
        lambda partial, note: partial.write_bytes(b"onetwX"),
    ],
)
def test_what_cannot_be_trusted_starts_anew(harm: Any, tmp_path: Path) -> None:
    path = begun(tmp_path).path
    harm(path, path.with_name("x.partial.json"))
    again = open_partial(tmp_path)
    assert (again.parts, again.size, again.sha256) == (0, 0, hashlib.sha256().hexdigest())
    again.append([b"new"])
    assert path.read_bytes() == b"new"


def test_parts_of_another_plan_are_not_joined(tmp_path: Path) -> None:
    begun(tmp_path)
    assert open_partial(tmp_path, "another").parts == 0


def test_no_more_than_the_limit_is_written(tmp_path: Path) -> None:
    partial = open_partial(tmp_path)
    with pytest.raises(ModelFileError, match="longer than the 4 bytes"):
        partial.append([b"xx"] * 1000, limit=4)
    assert partial.path.stat().st_size <= 4
    assert partial.parts == 0


def test_finish_leaves_only_the_file(tmp_path: Path) -> None:
    begun(tmp_path).finish(tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_bytes() == b"onetwo"
