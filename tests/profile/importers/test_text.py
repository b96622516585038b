"""Text, Markdown and JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.base import Skipped
from costeer.profile.importers.text import read_jsonl, read_text, strip_front_matter
from costeer.profile.records import Draft


def read(tmp_path: Path, name: Any, content: Any, kind: Any = "document") -> Any:
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list((read_jsonl if name.endswith("jsonl") else read_text)(path, name, kind))


@pytest.mark.parametrize(
    ("name", "content", "text", "title"),
    [
        ("a.txt", "Hello", "Hello", "a"),
        ("a.txt", "\ufeffHello\r\nthere", "Hello\nthere", "a"),
        ("a.txt", "# Hello", "# Hello", "a"),
        ("a.md", "# A walk #\n\nHello", "# A walk #\n\nHello", "A walk"),
        ("a.md", "---\ntitle: x\n---\nHello", "Hello", "a"),
        ("a.md", "---\nno end", "---\nno end", "a"),
    ],
)
def test_text(tmp_path: Path, name: Any, content: Any, text: Any, title: Any) -> None:
    assert read(tmp_path, name, content) == [Draft("document", text, title, name)]


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe", b"nul \0"])
def test_what_is_no_text_is_left_out(tmp_path: Path, content: Any) -> None:
    (found,) = read(tmp_path, "a.txt", content)
    assert isinstance(found, Skipped)


@pytest.mark.slow
def test_front_matter_that_never_ends_takes_no_time() -> None:
    text = "---\n" + "a: b\n" * 200_000
    assert strip_front_matter(text) == text


def test_jsonl(tmp_path: Path) -> None:
    lines = [
        {"text": "I am vegan.", "kind": "preference", "title": "food", "active": False},
        {"text": "plain"},
    ]
    content = "\ufeff" + "\r\n\n".join(json.dumps(line) for line in lines)
    assert read(tmp_path, "a.jsonl", content, "fact") == [
        Draft("preference", "I am vegan.", "food", "a.jsonl:1", None, False),
        Draft("fact", "plain", "", "a.jsonl:3"),
    ]


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "1", "{}", '{"text": 1}', '{"text": ""}', '{"text": "x", "kind": "secret"}'],
)
def test_a_line_that_will_not_do_is_left_out_and_named(tmp_path: Path, line: Any) -> None:
    first, second = read(tmp_path, "a.jsonl", f'{line}\n{{"text": "good"}}')
    assert isinstance(first, Skipped)
    assert first.where == "a.jsonl:1"
    assert second.text == "good"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_read_or_left_out(
    tmp_path_factory: pytest.TempPathFactory, content: Any
) -> None:
    folder = tmp_path_factory.mktemp("any")
    for name in ("a.txt", "a.md", "a.jsonl"):
        assert all(isinstance(one, (Draft, Skipped)) for one in read(folder, name, content))


def test_deep_json_is_left_out(tmp_path: Path) -> None:
    (found,) = read(tmp_path, "a.jsonl", "[" * 100_000)
    assert isinstance(found, Skipped)
