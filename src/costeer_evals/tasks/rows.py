"""Rows of JSON, JSON lines and Parquet files, and the fields in them.

Messages name the file, the row (from 1) and the key, never the content: rows are private.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from costeer.exceptions import InputError, MissingDependencyError

EXTRA = 'Install it: pip install "costeer[evals]".'


@dataclass(frozen=True, slots=True)
class DataRow:
    """One row: its source and number may appear in messages, its values are private."""

    source: str
    number: int
    values: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"DataRow({self.source!r}, {self.number})"

    def error(self, problem: str, hint: str = "") -> InputError:
        """An error that names the file and the row."""
        return InputError(f"{self.source}, row {self.number}: {problem}", hint)

    def text(self, key: str) -> str:
        """The non-blank text under a key."""
        value = self.values.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(f"there is no text under {key!r}.")
        return value

    def name(self, key: str) -> str:
        """The text or number under a key, as text."""
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
            raise self.error(f"there is no name or number under {key!r}.")
        return str(value)

    def rows(self, key: str) -> list[DataRow]:
        """The objects in the list under a key; each keeps this row's number."""
        value = self.values.get(key)
        if not isinstance(value, Iterable) or isinstance(value, (str, Mapping)):
            raise self.error(f"there is no list under {key!r}.")
        items = list(value)
        if not all(isinstance(item, Mapping) for item in items):
            raise self.error(f"the list under {key!r} holds something that is not an object.")
        return [DataRow(f"{self.source}, {key!r}", self.number, item) for item in items]


def read(path: Path, limit: int | None = None) -> list[DataRow]:
    """The first rows of a file, by suffix: .json (a list), .jsonl or .parquet.

    Raises:
        InputError: the file is missing, unreadable, or not what its suffix says.
    """
    readers = {".json": _json, ".jsonl": _json_lines, ".parquet": _parquet}
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise InputError(
            f"{path} is not a known kind of file.", f"Give one of: {', '.join(readers)}."
        )
    rows: list[DataRow] = []
    try:
        for number, values in enumerate(reader(path), start=1):
            if limit is not None and number > limit:
                break
            if not isinstance(values, Mapping):
                raise InputError(f"{path.name}, row {number}: this is not a JSON object.")
            rows.append(DataRow(path.name, number, values))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise InputError(f"{path} cannot be read: {reason}.", "Check the path.") from None
    if not rows:
        raise InputError(f"{path} holds no rows.", "Fetch it again.")
    return rows


def _json(path: Path) -> Iterator[Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{path.name}, line {error.lineno}: this is not JSON.", "Fetch the file again."
        ) from None
    if not isinstance(content, list):
        raise InputError(f"{path.name} holds no list of rows.", "Is it the right file?")
    yield from content


def _json_lines(path: Path) -> Iterator[Any]:
    with path.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                try:
                    row = json.loads(line)
                except json.JSONDecodeError:
                    raise InputError(
                        f"{path.name}, line {number}: this is not JSON.", "Fetch the file again."
                    ) from None
                yield row


def _parquet(path: Path) -> Iterator[Any]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingDependencyError(
            "Reading Parquet files needs the package pyarrow.", EXTRA
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=16):
                yield from batch.to_pylist()
    except pyarrow.ArrowInvalid:
        raise InputError(f"{path.name} is not a Parquet file.", "Fetch it again.") from None
