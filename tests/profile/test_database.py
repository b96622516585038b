"""Migrations, transactions, copies."""

from __future__ import annotations

import hashlib
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError, ProfileFileError
from costeer.profile import cipher
from costeer.profile.database import Database, migrations, statements
from tests.support.profiles import KEY

RELEASED = [
    "953afccf812bf4ff80140e413bbb5408255d3736167c7ca931ecab295055ea58",
    "6e394e8cf097141784e773a6e522de9f26c6f5746d7d316b4266349f77748b07",
    "f77489f744c6620a89fbbdfcfbbbd6db2d06eae66300a649a90f6a52c0b0a3b0",
    "8da84628203dc792a6bb179d37c096f644cd6e4aa1903ff361521f926dab3166",
    "222e00b72097c2c3e2da1df4415658de31426654c9308853e0b476bfbf48f85e",
]


def test_released_migrations_are_never_edited() -> None:
    """A change to the schema is another file; then its hash is added here."""
    assert [hashlib.sha256(sql.encode()).hexdigest() for sql in migrations()] == RELEASED


def test_a_new_database_is_of_the_newest_schema(database: Any) -> None:
    assert database.version == len(migrations())


@pytest.mark.parametrize("version", range(len(RELEASED)))
def test_an_older_database_is_brought_up_to_date_with_its_data(
    tmp_path: Path, version: Any
) -> None:
    connection = cipher.create(tmp_path / "old.db", KEY)
    for sql in migrations()[:version]:
        for statement in statements(sql):
            connection.execute(statement)
    if version:
        connection.execute(
            "INSERT INTO records (kind, text, digest, created_at, changed_at) "
            "VALUES ('fact', 'old', x'00', '', '')"
        )
    connection.execute(f"PRAGMA user_version = {version}")
    database = Database(connection, tmp_path / "old.db")
    assert database.version == len(migrations())
    assert database.read("SELECT text FROM records") == [("old",)] * bool(version)
    database.close()


def test_a_newer_database_is_left_alone(database: Any, tmp_path: Path) -> None:
    database.read(f"PRAGMA user_version = {len(migrations()) + 1}")
    database.close()
    before = (tmp_path / "one.db").read_bytes()
    with pytest.raises(ProfileFileError, match="newer CoSteer"):
        Database.open(tmp_path / "one.db", KEY, before[:16])
    assert (tmp_path / "one.db").read_bytes() == before


def test_two_that_open_an_old_database_at_once_migrate_it_once(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = cipher.create(path, KEY)
    old.execute("CREATE TABLE t (a)")
    old.close()

    def work(_: Any) -> None:
        Database.open(path, KEY, cipher.read_salt(path)).close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))
    database = Database.open(path, KEY, cipher.read_salt(path))
    assert database.version == len(migrations())
    database.close()


def test_nested_writes_are_one_transaction(database: Any) -> None:
    with pytest.raises(InputError), database.write() as connection:
        with database.write():
            connection.execute("CREATE TABLE t (a)")
        raise InputError("no")
    assert database.read("SELECT name FROM sqlite_master WHERE name = 't'") == []


@pytest.mark.slow
def test_threads_share_a_database(store: Any, database: Any) -> None:
    from costeer.profile.records import Draft

    def work(number: Any) -> None:
        for index in range(10):
            store.add(Draft("fact", f"{number} {index}"))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.all()) == 40
    store.check()


def test_a_copy_holds_what_is_still_in_the_log(database: Any, tmp_path: Path, store: Any) -> None:
    from costeer.profile.records import Draft
    from costeer.profile.store import Store

    store.add(Draft("fact", "fresh"))
    database.copy_to(tmp_path / "copy.db")
    copy = Database.open(tmp_path / "copy.db", KEY, cipher.read_salt(tmp_path / "one.db"))
    assert [record.text for record in Store(copy).all()] == ["fresh"]
    copy.check()
    copy.close()


def test_a_database_in_memory_has_the_same_schema(database: Any) -> None:
    memory = Database.in_memory()
    assert memory.version == database.version
    schema = "SELECT name, sql FROM sqlite_master ORDER BY name"
    assert memory.read(schema) == database.read(schema)
    assert memory.read("PRAGMA foreign_keys") == [(1,)]
    memory.close()
