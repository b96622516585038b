"""The file that a run appends to: JSON lines, safe to kill at any moment, one writer at a time.

A line is a header (what made the rows that name it), a row, or a rating of a row's text. Lines are
written whole, several in one call, so a kill leaves at most one partial line at the end, which
readers skip and the next writer truncates. All rows of a file are of the same models. Knows nothing
of what rows and ratings mean beyond their key.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

from costeer.exceptions import InputError
from costeer.models.files.lock import LockedError, exclusive

ResultRow: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[str, str, str, str, str]
"""Kind, task, sample, method key, settings."""

REQUIRED = ("run", "kind", "task", "sample", "texts", "method", "settings")
REQUIRED_OF_RATING = (*REQUIRED, "answer", "rater", "scores")


@dataclass(slots=True)
class ResultContents:
    """What a file holds.

    Attributes:
        headers: by id.
        rows: by key, in the order of the file.
        ratings: in the order of the file; of several for one text, the last counts.
        length: bytes up to the last whole line.
    """

    headers: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    rows: dict[Key, ResultRow] = field(default_factory=dict)
    ratings: list[ResultRow] = field(default_factory=list)
    length: int = 0


def key_of(row: Mapping[str, Any]) -> Key:
    """The key of a row."""
    return make_key(row["kind"], row["task"], row["sample"], row["method"], row["settings"])


def make_key(kind: str, task: str, sample: str, method: str, settings: Mapping[str, Any]) -> Key:
    """The key of a row, from its parts."""
    return kind, task, sample, method, json.dumps(settings, sort_keys=True)


def read(path: Path) -> ResultContents:
    """Read a file that exists.

    Raises:
        InputError: it cannot be read, or a line is damaged.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror}.", "Check the path of the results."
        ) from None
    contents = ResultContents(length=raw.rfind(b"\n") + 1)
    lines = raw[: contents.length].split(b"\n")[:-1]
    for number, line in enumerate(lines, start=1):
        values = _parse_line(line)
        if values is None and number == len(lines):  # a power cut may leave this behind
            contents.length -= len(line) + 1
        elif values is None:
            raise InputError(
                f"{path}, line {number} is not a line of results.",
                "Is it the right file? Results come from `costeer eval run`.",
            )
        elif "header" in values:
            contents.headers[values["header"]["run"]] = values["header"]
        elif "rating" in values:
            contents.ratings.append(values["rating"])
        else:
            contents.rows.setdefault(key_of(values), values)
    return contents


def _parse_line(line: bytes) -> ResultRow | None:
    try:
        values = json.loads(line)
    except ValueError:
        return None
    if not isinstance(values, dict):
        return None
    header = values.get("header")
    if isinstance(header, dict):
        return values if {"run", "models"} <= header.keys() else None
    rating = values.get("rating")
    if isinstance(rating, dict):
        return values if all(name in rating for name in REQUIRED_OF_RATING) else None
    return values if all(name in values for name in REQUIRED) else None


class ResultFile:
    """A file open for appending; see ``open_results``.

    Args:
        path: the file.
        contents: what it holds already; kept up to date.
    """

    def __init__(self, path: Path, contents: ResultContents) -> None:
        self.path = path
        self.contents = contents

    def write_header(self, header: Mapping[str, Any]) -> None:
        """Write the header of the rows that follow, unless the file has it already.

        Raises:
            InputError: the file holds results of other models.
        """
        for earlier in self.contents.headers.values():
            if any(
                earlier["models"].get(role, model) != model
                for role, model in header["models"].items()
            ):
                raise InputError(
                    f"{self.path} holds results of other models.",
                    "Give another --out; one file is for one set of models.",
                )
        if header["run"] not in self.contents.headers:
            append_lines(self.path, [{"header": header}])
            self.contents.headers[header["run"]] = header

    def append(self, rows: Iterable[ResultRow]) -> None:
        """Append rows that are not there yet; they are on disk when this returns."""
        fresh = [row for row in rows if key_of(row) not in self.contents.rows]
        append_lines(self.path, fresh)
        self.contents.rows.update((key_of(row), row) for row in fresh)

    def append_rating(self, rating: ResultRow) -> None:
        """Append a rating; it is on disk when this returns."""
        append_lines(self.path, [{"rating": rating}])
        self.contents.ratings.append(rating)


def truncate_partial_line(path: Path) -> None:
    """Remove a partial last line, so that the next line starts on its own.

    Raises:
        InputError: the file cannot be read or written.
    """
    try:
        if path.exists():
            os.truncate(path, path.read_bytes().rfind(b"\n") + 1)
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.", "Check it.") from None


def private_opener(path: str, flags: int) -> int:
    """An ``opener`` for files that only their owner may read: texts and rows tell of people."""
    return os.open(path, flags, 0o600)


def append_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Append JSON lines in one write, and flush them to disk.

    Raises:
        InputError: the file cannot be written.
    """
    data = "".join(json.dumps(line, allow_nan=False) + "\n" for line in lines).encode()
    if not data:
        return
    try:
        with open(path, "ab", buffering=0, opener=private_opener) as file:
            view = memoryview(data)
            while view:
                view = view[file.write(view) :]
            os.fsync(file.fileno())
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.",
            "The results so far are kept; run again to go on.",
        ) from None


@contextmanager
def open_results(path: Path) -> Iterator[ResultFile]:
    """Open a file for one writer; creates it, and its folder, if missing.

    Raises:
        InputError: another process writes to it, or it is not a file of results.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        open(path, "ab", opener=private_opener).close()
    except OSError as error:
        raise InputError(
            f"{path} cannot be written: {error.strerror}.", "Check the path given by --out."
        ) from None
    try:
        with exclusive(path.with_name(f".{path.name}.lock")):
            contents = read(path)
            if contents.length < path.stat().st_size:
                os.truncate(path, contents.length)
            yield ResultFile(path, contents)
    except LockedError:
        raise InputError(
            f"Another process is writing to {path}.",
            "Wait for it, or give every shard its own file.",
        ) from None
