"""Which importer reads which file, and reading all files of a folder."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Literal, get_args

from costeer.exceptions import InputError
from costeer.profile.importers.base import Found, Skipped
from costeer.profile.importers.chats import read_export
from costeer.profile.importers.mail import read_eml, read_mbox
from costeer.profile.importers.text import read_jsonl, read_text
from costeer.profile.records import Draft, Kind
from costeer.profile.store import Store

Format = Literal["text", "jsonl", "mbox", "eml", "chat"]
FORMATS: tuple[Format, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".txt": "text",
    ".md": "text",
    ".markdown": "text",
    ".jsonl": "jsonl",
    ".mbox": "mbox",
    ".eml": "eml",
    ".json": "chat",
}
BATCH = 500
"""Records in one transaction: whatever ends an import, what it has stored is whole."""
_MBOX = b"From "


@dataclass(slots=True)
class Report:
    """What an import did: drafts read, how many were new, and what was left out, by reason."""

    read: int = 0
    new: int = 0
    skipped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    """The first place for each reason."""

    def skip(self, found: Skipped) -> None:
        """Count something that was left out."""
        self.skipped[found.reason] += 1
        self.examples.setdefault(found.reason, found.where)


def read(
    paths: Sequence[Path],
    *,
    kind: Kind | None = None,
    file_format: Format | None = None,
    me: Sequence[str] = (),
) -> Iterator[Found]:
    """All drafts in files and folders.

    Args:
        paths: files, or folders, which are read with everything below them.
        kind: of records from text and JSON lines; by default document.
        file_format: of all files; by default each file's own, by its name and beginning.
        me: the person's own mail addresses.

    Raises:
        InputError: a path does not exist, a named file is of no known format, or there is mail
            and no address. At once, before anything is read.
    """
    files = [file for path in paths for file in _files(path, file_format)]
    if not me and any(form in ("mbox", "eml") for _, _, form in files):
        raise InputError(
            "It takes your own mail address to tell what you wrote.", "Give it: --me ADDRESS"
        )
    return _read_all(files, kind or "document", me)


def import_into(store: Store, found: Iterable[Found], *, dry_run: bool = False) -> Report:
    """Store drafts; those that are stored already change nothing.

    Args:
        store: of the profile.
        found: from ``read``.
        dry_run: only count what would be new.
    """
    report = Report()
    seen: set[tuple[str, str]] = set()
    drafts = _counted(found, report)
    while batch := list(islice(drafts, BATCH)):
        report.read += len(batch)
        if not dry_run:
            report.new += store.add_all(batch)
            continue
        for draft in batch:
            content = (draft.kind, " ".join(draft.text.split()))
            if content not in seen and not store.contains(draft):
                report.new += 1
            seen.add(content)
    return report


def _counted(found: Iterable[Found], report: Report) -> Iterator[Draft]:
    for one in found:
        if isinstance(one, Skipped):
            report.skip(one)
        else:
            yield one


def _files(path: Path, file_format: Format | None) -> Iterator[tuple[Path, str, Format]]:
    """Files with the names that they get as a source, and their formats."""
    if not path.exists():
        raise InputError(f"There is no file {path}.", "Check the path.")
    if path.is_dir():
        for folder, subfolders, names in os.walk(path):
            subfolders[:] = sorted(name for name in subfolders if not name.startswith("."))
            for name in sorted(names):
                file = Path(folder, name)
                form = file_format or format_of(file)
                if form is not None and file.is_file() and not name.startswith("."):
                    yield file, str(file.relative_to(path)), form
        return
    if not path.is_file():  # a pipe may never end
        raise InputError(f"{path} is neither a file nor a folder.", "Save it to a file first.")
    form = file_format or format_of(path)
    if form is None:
        raise InputError(
            f"{path} is of no format known here.",
            f"Say which it is (--format): {', '.join(FORMATS)}.",
        )
    yield path, path.name, form


def as_format(name: str) -> Format:
    """Check the name of a format; raises InputError if there is none such."""
    for form in FORMATS:
        if name == form:
            return form
    raise InputError(f"{name!r} is no format.", f"The formats are: {', '.join(FORMATS)}.")


def format_of(path: Path) -> Format | None:
    """A file's format, by its suffix, or by its first bytes where it has none that is known."""
    known = SUFFIXES.get(path.suffix.lower())
    if known is not None or not path.is_file():
        return known
    with path.open("rb") as file:
        return "mbox" if file.read(len(_MBOX)) == _MBOX else None


def _read_all(
    files: Iterable[tuple[Path, str, Format]], kind: Kind, me: Sequence[str]
) -> Iterator[Found]:
    for path, source, form in files:
        try:
            yield from _read_one(path, source, form, kind, me)
        except OSError:
            yield Skipped("cannot be read", source)


def _read_one(
    path: Path, source: str, form: Format, kind: Kind, me: Sequence[str]
) -> Iterator[Found]:
    if form == "text":
        return read_text(path, source, kind)
    if form == "jsonl":
        return read_jsonl(path, source, kind)
    if form == "mbox":
        return read_mbox(path, source, me)
    if form == "eml":
        return read_eml(path, source, me)
    return read_export(path, source)
