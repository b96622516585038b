"""The records of one profile: adding, reading, changing, searching. Texts are never logged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone

from costeer.exceptions import InputError
from costeer.profile import cipher
from costeer.profile.database import Database, Row
from costeer.profile.records import KINDS, PINNED, Draft, Kind, Record, as_kind, check, digest
from costeer.profile.words import match_expression, question_words

RECORD_COLUMNS = (
    "records.kind, records.text, records.title, records.source, records.written_at, "
    "records.active, records.id, records.created_at, records.changed_at"
)
"""What ``record_of_row`` takes."""
_OPEN, _CLOSE = "\x02", "\x03"  # control characters never occur in a stored text
MOST_MATCHES = 64


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a search found, and its words that matched, in lower case."""

    record: Record
    words: tuple[str, ...] = field(repr=False)


class Store:
    """The records in a database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, draft: Draft) -> tuple[Record, bool]:
        """Store a record; the same kind and content a second time changes nothing.

        Returns:
            The stored record, and whether it is new.

        Raises:
            InputError: no text, too long, or no such kind.
        """
        draft = check(draft)
        with self._database.write() as connection:
            new = _insert(connection, draft)
            return self._same_content(draft)[0], new

    def add_all(self, drafts: Iterable[Draft]) -> int:
        """Store many in one transaction; how many were new."""
        with self._database.write() as connection:
            return sum(_insert(connection, check(draft)) for draft in drafts)

    def contains(self, draft: Draft) -> bool:
        """Whether the same kind and content is stored."""
        return bool(self._same_content(check(draft)))

    def get(self, number: int) -> Record:
        """One record.

        Raises:
            InputError: there is none of this number.
        """
        rows = self._database.read(f"SELECT {RECORD_COLUMNS} FROM records WHERE id = ?", (number,))  # noqa: S608
        if not rows:
            raise InputError(f"There is no record {number}.", "costeer profile list shows them.")
        return record_of_row(rows[0])

    def all(
        self,
        kind: str | None = None,
        *,
        active: bool | None = None,
        limit: int = -1,
        offset: int = 0,
    ) -> list[Record]:
        """Records in the order of their numbers; all kinds, active or not, unless asked for."""
        of_kind = "? IS NULL" if kind is None else "kind = ?"  # only an equality uses the index
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM records WHERE {of_kind} "  # noqa: S608
            "AND active = coalesce(?, active) ORDER BY id LIMIT ? OFFSET ?",
            (kind, active, limit, offset),
        )
        return [record_of_row(row) for row in rows]

    def counts(self) -> dict[str, int]:
        """How many records there are of each kind."""
        return dict(self._database.read("SELECT kind, count(*) FROM records GROUP BY kind"))

    def edit(
        self,
        number: int,
        *,
        text: str | None = None,
        kind: str | None = None,
        title: str | None = None,
        active: bool | None = None,
    ) -> Record:
        """Change what is given.

        Raises:
            InputError: no such record or kind, no text, or the content of another record.
        """
        with self._database.write() as connection:
            old = self.get(number)
            new = check(
                Draft(
                    old.kind if kind is None else as_kind(kind),
                    old.text if text is None else text,
                    old.title if title is None else title,
                    old.source,
                    old.written_at,
                    old.active if active is None else active,
                )
            )
            for other in self._same_content(new):
                if other.id != number:
                    raise InputError(
                        f"Record {other.id} has the same content.", "Remove one of the two."
                    )
            connection.execute(
                "UPDATE records SET kind = ?, text = ?, title = ?, active = ?, digest = ?, "
                "changed_at = ? WHERE id = ?",
                (
                    new.kind,
                    new.text,
                    new.title,
                    new.active,
                    digest(new.kind, new.text),
                    now(),
                    number,
                ),
            )
            return self.get(number)

    def remove(self, numbers: Sequence[int]) -> None:
        """Remove records, all or none; nothing of them stays in the database.

        Raises:
            InputError: one of them does not exist.
        """
        with self._database.write() as connection:
            for number in dict.fromkeys(numbers):
                self.get(number)
                connection.execute("DELETE FROM records WHERE id = ?", (number,))

    def pinned(self) -> list[Record]:
        """Active preferences, then active facts, each in the order of their numbers."""
        return [record for kind in PINNED for record in self.all(kind, active=True)]

    def search(
        self,
        text: str,
        *,
        kinds: Sequence[Kind] = KINDS,
        active: bool | None = True,
        limit: int = MOST_MATCHES,
        shared: int = 1,
    ) -> list[Match]:
        """Records that share a word with ``text``, best first by BM25, then by number.

        Words are compared by their English stem, without accents; stop words do not count. With
        ``shared=2``, records share two words with it, or the only one that it has.
        """
        words = question_words(text)
        if not words:
            return []
        records = self._ranked(match_expression(words, shared), kinds, active, limit)
        matched = self._matched(match_expression(words), [record.id for record in records])
        return [Match(one, matched[one.id]) for one in records if one.id in matched]

    def find(
        self, text: str, *, active: bool | None = True, limit: int = MOST_MATCHES
    ) -> list[Record]:
        """What ``search`` finds, without looking for the words that matched."""
        words = question_words(text)
        return self._ranked(match_expression(words), KINDS, active, limit) if words else []

    def check(self) -> None:
        """Read every page, and compare the index with the records.

        Raises:
            ProfileFileError: something does not match.
        """
        self._database.check()
        with self._database.write() as connection:
            connection.execute(
                "INSERT INTO record_words (record_words, rank) VALUES ('integrity-check', 1)"
            )

    def _ranked(
        self, expression: str, kinds: Sequence[Kind], active: bool | None, limit: int
    ) -> list[Record]:
        """The records that an expression matches, best first."""
        # Texts are read only of the best: a page of them is costly to decrypt, and a sort copies
        # whatever is selected. SQLite would not choose the index, which it thinks no faster.
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM (SELECT rowid AS number, rank AS score "  # noqa: S608
            "FROM record_words WHERE record_words MATCH ? AND EXISTS (SELECT 1 FROM records "
            "INDEXED BY records_for_search "
            f"WHERE id = record_words.rowid AND kind IN ({', '.join('?' * len(kinds))}) "
            "AND active = coalesce(?, active)) ORDER BY score, number LIMIT ?) "
            "JOIN records ON id = number ORDER BY score, number",
            (expression, *kinds, active, limit),
        )
        return [record_of_row(row) for row in rows]

    def _matched(self, expression: str, numbers: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """The words of records that an expression matches."""
        # Asked for apart, because it would be computed for every match before the limit. "+rowid"
        # goes through the matches once, "rowid" once for each number.
        rows = self._database.read(
            "SELECT rowid, highlight(record_words, 0, ?, ?) FROM record_words "  # noqa: S608
            f"WHERE record_words MATCH ? AND +rowid IN ({', '.join('?' * len(numbers))})",
            (_OPEN, _CLOSE, expression, *numbers),
        )
        return {number: _marked(text) for number, text in rows}

    def _same_content(self, draft: Draft) -> list[Record]:
        rows = self._database.read(
            f"SELECT {RECORD_COLUMNS} FROM records WHERE digest = ?",  # noqa: S608
            (digest(draft.kind, draft.text),),
        )
        return [record_of_row(row) for row in rows]


def now() -> str:
    """The time, as ISO 8601 in UTC, to the second."""
    return datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _insert(connection: cipher.Connection, draft: Draft) -> bool:
    # A conflict would use up a number, so it is avoided.
    key, time = digest(draft.kind, draft.text), now()
    cursor = connection.execute(
        "INSERT INTO records (kind, text, title, source, active, digest, written_at, created_at, "
        "changed_at) SELECT ?, ?, ?, ?, ?, ?, ?, ?, ? "
        "WHERE NOT EXISTS (SELECT 1 FROM records WHERE digest = ?)",
        (
            draft.kind,
            draft.text,
            draft.title,
            draft.source,
            draft.active,
            key,
            draft.written_at,
            time,
            time,
            key,
        ),
    )
    return bool(cursor.rowcount == 1)


def record_of_row(row: Row) -> Record:
    """A record from the columns above."""
    kind, text, title, source, written_at, active, number, created_at, changed_at = row
    return Record(
        kind, text, title, source, written_at, bool(active), number, created_at, changed_at
    )


def _marked(highlighted: str) -> tuple[str, ...]:
    """The words between marks, each once, in their order."""
    return tuple(dict.fromkeys(_pieces(highlighted)))


def _pieces(highlighted: str) -> Iterator[str]:
    for piece in highlighted.split(_OPEN)[1:]:
        yield from piece.split(_CLOSE)[0].lower().split()
