"""Folders, formats, and importing twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer.profile.importers.base import Skipped
from costeer.profile.importers.read import format_of, import_into, read
from costeer.profile.records import Draft


@pytest.fixture
def notes(tmp_path: Path) -> Any:
    """A folder as people have them."""
    folder = tmp_path / "notes"
    for name, text in {
        "a.md": "# One\n\nfirst",
        "sub/b.txt": "second",
        "sub/c.jsonl": json.dumps({"text": "third", "kind": "fact"}),
        ".hidden/d.md": "hidden",
        ".e.md": "hidden",
        "picture.png": "no text",
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_folder_is_read_with_all_below_it_but_for_what_is_hidden(notes: Any) -> None:
    found = list(read([notes]))
    assert [(one.text, one.source) for one in found] == [
        ("# One\n\nfirst", "a.md"),
        ("second", "sub/b.txt"),
        ("third", "sub/c.jsonl:1"),
    ]


def test_importing_twice_adds_nothing(notes: Any, store: Any) -> None:
    assert import_into(store, read([notes])).new == 3
    before = store.all()
    report = import_into(store, read([notes]))
    assert (report.read, report.new) == (3, 0)
    assert store.all() == before


def test_a_dry_run_foretells_and_stores_nothing(notes: Any, store: Any) -> None:
    twice = [notes, notes]
    foretold = import_into(store, read(twice), dry_run=True)
    assert store.all() == []
    assert foretold == import_into(store, read(twice))
    assert foretold.new == 3


def test_a_record_that_is_switched_off_stays_off(notes: Any, store: Any) -> None:
    import_into(store, read([notes]))
    store.edit(1, active=False)
    import_into(store, read([notes]))
    assert not store.get(1).active


@pytest.mark.slow
def test_more_than_one_batch(store: Any) -> None:
    found = [Draft("fact", str(number)) for number in range(1_201)]
    assert import_into(store, [*found, Skipped("too short", "x")]).new == 1_201


def test_what_is_left_out_is_counted_by_reason(store: Any) -> None:
    report = import_into(store, [Skipped("a", "x"), Skipped("a", "y"), Skipped("b", "z")])
    assert dict(report.skipped) == {"a": 2, "b": 1}
    assert report.examples == {"a": "x", "b": "z"}


@pytest.mark.parametrize(
    ("name", "content", "form"),
    [
        ("x.TXT", "", "text"),
        ("x.markdown", "", "text"),
        ("x.mbox", "", "mbox"),
        ("Sent", "From anna Mon\n", "mbox"),
        ("Sent", "Dear Tom", None),
        ("x.json", "", "chat"),
        ("x.eml", "", "eml"),
        ("x.pdf", "", None),
    ],
)
def test_formats(tmp_path: Path, name: Any, content: Any, form: Any) -> None:
    (tmp_path / name).write_text(content)
    assert format_of(tmp_path / name) == form


def test_bad_input_is_told_at_once(tmp_path: Path, notes: Any) -> None:
    (tmp_path / "x.pdf").write_text("")
    (tmp_path / "x.eml").write_text("")
    for path, message in {
        tmp_path / "none": "no file",
        tmp_path / "x.pdf": "no format known",
        tmp_path / "x.eml": "your own mail address",
    }.items():
        with pytest.raises(InputError, match=message):
            read([notes, path])


def test_a_format_can_be_given(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_text("Dear diary")
    assert [one.text for one in read([tmp_path / "x.log"], file_format="text")] == ["Dear diary"]


def test_a_link_in_a_circle_ends(notes: Any) -> None:
    (notes / "sub" / "circle").symlink_to(notes)
    assert len(list(read([notes]))) == 3


def test_a_file_that_vanishes_is_left_out(notes: Any) -> None:
    found = read([notes])
    (notes / "sub" / "b.txt").unlink()
    assert [one for one in found if isinstance(one, Skipped)] == [
        Skipped("cannot be read", "sub/b.txt")
    ]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names are POSIX's")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(InputError, match="neither a file"):
        read([tmp_path / "pipe.txt"])
