"""Text and Markdown files, and JSON lines."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from costeer.exceptions import InputError
from costeer.profile.importers.base import Found, Skipped, drafts
from costeer.profile.records import KINDS, Draft, Kind, check

LARGEST = 64 << 20
"""Bytes of a text file; a line of JSON may have as many."""

_FRONT_MATTER = re.compile(r"---[ \t]*\n(?:.*\n)*?(?:---|\.\.\.)[ \t]*(?:\n|\Z)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t#]*")


def read_text(path: Path, source: str, kind: Kind) -> Iterator[Found]:
    """The passages of one file; of Markdown without its front matter."""
    text = _decode(path)
    if text is None:
        yield Skipped("not UTF-8 text, or larger than 64 MB", source)
        return
    title = path.stem
    if path.suffix.lower() != ".txt":
        text = strip_front_matter(text)
        title = _first_heading(text) or title
    found: list[Found] = [*drafts(text, kind, title, source, None)]
    yield from found or [Skipped("empty", source)]


def strip_front_matter(text: str) -> str:
    """Markdown without a block between "---" lines at its start."""
    text = text.replace("\r\n", "\n")
    found = _FRONT_MATTER.match(text)
    return text[found.end() :] if found else text


def read_jsonl(path: Path, source: str, kind: Kind) -> Iterator[Found]:
    """Records from lines of JSON: "text", and perhaps "kind", "title", "written_at", "active".

    Other lines, conversations of an export among them, are left out.
    """
    with path.open("rb") as file:
        number = 0
        while line := file.readline(LARGEST):
            number += 1
            if line.strip():
                yield _from_line(line, f"{source}:{number}", kind)


def _from_line(line: bytes, where: str, kind: Kind) -> Found:
    try:
        fields = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return Skipped("not a line of JSON", where)
    if not isinstance(fields, dict) or not isinstance(fields.get("text"), str):
        return Skipped('no record: it has no "text"', where)
    return _from_fields(fields, where, kind)


def _from_fields(fields: Mapping[str, Any], where: str, kind: Kind) -> Found:
    given = fields.get("kind", kind)
    if given not in KINDS:
        return Skipped("no such kind of record", where)
    written_at = fields.get("written_at")
    draft = Draft(
        given,
        fields["text"],
        str(fields.get("title") or ""),
        str(fields.get("source") or where),
        written_at if isinstance(written_at, str) else None,
        fields.get("active", True) is not False,
    )
    try:
        return check(draft)
    except InputError:
        return Skipped("empty, or longer than a record may be", where)


def _decode(path: Path) -> str | None:
    with path.open("rb") as file:
        raw = file.read(LARGEST + 1)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    return None if len(raw) > LARGEST or "\0" in text else text


def _first_heading(text: str) -> str:
    for line in text.lstrip().splitlines()[:1]:
        found = _HEADING.fullmatch(line.strip())
        return found[1] if found else ""
    return ""
