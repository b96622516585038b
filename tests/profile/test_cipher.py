"""The encrypted file: four errors that differ, no word in the clear, for its owner alone."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import (
    InputError,
    ProfileBusyError,
    ProfileError,
    ProfileFileError,
    ProfileKeyError,
    ProfileSpaceError,
)
from costeer.profile import cipher
from costeer.profile.database import Database
from tests.support.profiles import KEY

posix = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture
def path(tmp_path: Path) -> Any:
    """A database with some pages in it, closed."""
    path = tmp_path / "some.db"
    database = Database.create(path, KEY)
    with database.write() as connection:
        connection.execute("CREATE TABLE t (a TEXT)")
        connection.executemany("INSERT INTO t VALUES (?)", [("canary-7919 " * 200,)] * 50)
    database.close()
    return path


def open_again(path: Any, key: Any = KEY, salt: Any = None) -> Any:
    return Database.open(path, key, salt or cipher.read_salt(path))


def test_a_wrong_key_and_a_damaged_first_page_are_told_alike_by_the_cipher_but_not_by_the_salt(
    path: Any,
) -> None:
    with pytest.raises(ProfileFileError, match="damaged"):
        open_again(path, bytes(32))  # the profile checks keys before it comes to this
    with pytest.raises(ProfileKeyError, match="another key"):
        open_again(path, salt=bytes(16))


def test_a_plain_sqlite_file(tmp_path: Path) -> None:
    path = tmp_path / "plain.db"
    with sqlite3.connect(path) as plain:
        plain.execute("CREATE TABLE t (a)")
    plain.close()
    before = path.read_bytes()
    with pytest.raises(ProfileFileError, match="plain SQLite"):
        open_again(path, salt=bytes(16))
    assert path.read_bytes() == before


@pytest.mark.slow
def test_every_damaged_page_is_found(path: Any) -> None:
    pages = path.stat().st_size // cipher.PAGE
    assert pages > 10
    for page in range(pages):
        damaged = path.with_name(f"damaged{page}.db")
        content = bytearray(path.read_bytes())
        content[page * cipher.PAGE + 2000] ^= 1
        damaged.write_bytes(content)
        with pytest.raises(ProfileFileError, match="damaged"):
            open_again(damaged).check()
        assert damaged.read_bytes() == bytes(content)


@pytest.mark.parametrize("size", [0, 7, 16, 5000, 40_960])
def test_a_file_that_was_cut_off(path: Any, size: Any) -> None:
    salt = cipher.read_salt(path)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ProfileFileError, match=r"cut off|damaged"):
        open_again(path, salt=salt)
    assert path.stat().st_size == size


def test_a_missing_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(ProfileFileError, match="missing"):
        Database.open(tmp_path / "none.db", KEY, bytes(16))
    assert list(tmp_path.iterdir()) == []


def test_an_existing_file_is_never_made_anew(path: Any) -> None:
    before = path.read_bytes()
    with pytest.raises(FileExistsError):
        Database.create(path, KEY)
    assert path.read_bytes() == before


def test_a_full_database_says_so_and_keeps_what_it_had(path: Any) -> None:
    database = open_again(path)
    pages = database.read("PRAGMA page_count")[0][0]
    database.read(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(ProfileSpaceError, match="disk is full"), database.write() as connection:
        connection.executemany("INSERT INTO t VALUES (?)", [("x" * 4000,)] * 50)
    database.read("PRAGMA max_page_count = 100000")
    assert database.read("SELECT count(*) FROM t") == [(50,)]
    database.check()
    database.close()


WRITE_UNTIL_REFUSED = """
import resource, sys
from pathlib import Path
from costeer.exceptions import ProfileSpaceError
from costeer.profile import cipher
from costeer.profile.database import Database

path, limit, filler = Path(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
database = Database.open(path, bytes(range(32)), cipher.read_salt(path))
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
done = 0
try:
    while True:
        with database.write() as connection:
            connection.execute("INSERT INTO t VALUES (?)", ("y" * 20_000,))
        done += 1
except ProfileSpaceError as error:
    print(error)
count = "SELECT count(*) FROM t WHERE a LIKE 'y%'"
assert done > 0
assert database.read(count) == [(done,)]
database.close()
if not limit:
    filler.unlink()
    database = Database.open(path, bytes(range(32)), cipher.read_salt(path))
    assert database.read(count) == [(done,)]
    database.check()
    database.close()
print(done)
"""


def run_child(*command: Any) -> Any:
    return subprocess.run([*command], capture_output=True, text=True, check=False)


@pytest.mark.slow
@posix
def test_a_disk_that_refuses_to_write_loses_nothing_that_was_committed(path: Any) -> None:
    done = run_child(sys.executable, "-c", WRITE_UNTIL_REFUSED, path, "300000", "")
    message, count = done.stdout.splitlines()
    assert "the change was not made" in message
    assert done.stderr == ""
    database = open_again(path)
    assert database.read("SELECT count(*) FROM t WHERE a LIKE 'y%'") == [(int(count),)]
    database.check()
    database.close()


@pytest.mark.slow
@posix
def test_a_full_file_system_loses_nothing_that_was_committed(path: Any, tmp_path: Path) -> None:
    """On a file system of 2 MB, in a mount namespace of its own, where that is permitted."""
    (tmp_path / "small").mkdir()
    inside = ("unshare", "--mount", "sh", "-c")
    mount = f"mount -t tmpfs -o size=2m tmpfs {tmp_path}/small"
    if not shutil.which("unshare") or run_child(*inside, mount).returncode:
        pytest.skip("mounting is not permitted here")
    copy = f"cp {path} {tmp_path}/small && head -c 900000 /dev/zero > {tmp_path}/small/filler"
    go = f'{mount} && {copy} && exec {sys.executable} -c "$0" "$@"'
    arguments = (f"{tmp_path}/small/some.db", "0", f"{tmp_path}/small/filler")
    done = run_child(*inside, go, WRITE_UNTIL_REFUSED, *arguments)
    assert done.stderr == ""
    message, count = done.stdout.splitlines()
    assert "The disk is full" in message
    assert int(count) > 0


def test_temporary_tables_stay_in_memory(database: Any) -> None:
    assert ("TEMP_STORE=2",) in database.read("PRAGMA compile_options")


def test_no_word_is_in_the_clear_and_nothing_goes_to_stderr(
    path: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    database = open_again(path)
    with database.write() as connection:
        connection.execute("INSERT INTO t VALUES ('canary-7919 again')")
    files = sorted(path.parent.glob("some.db*"))
    assert len(files) == 3  # the database, its log and its index, alive
    assert not any(b"canary" in file.read_bytes() for file in files)
    database.close()
    with pytest.raises(ProfileFileError):
        open_again(path, bytes(32))
    assert capfd.readouterr() == ("", "")


@posix
def test_files_are_their_owner_s_alone_whatever_the_umask(tmp_path: Path, path: Any) -> None:
    before = os.umask(0)
    try:
        database = Database.create(tmp_path / "new.db", KEY)
        assert {stat.S_IMODE(f.stat().st_mode) for f in tmp_path.glob("new.db*")} == {0o600}
        database.close()
        path.chmod(0o644)
        open_again(path).close()
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    finally:
        os.umask(before)


def test_another_writer_is_told_to_wait(path: Any) -> None:
    first, second = open_again(path), open_again(path)
    second.read("PRAGMA busy_timeout = 1")
    with first.write(), pytest.raises(ProfileBusyError), second.write():
        pass
    with second.write() as connection:
        connection.execute("INSERT INTO t VALUES ('z')")
    first.close()
    second.close()


def test_a_closed_database_says_so(path: Any) -> None:
    database = open_again(path)
    database.close()
    with pytest.raises(ProfileError, match="closed"):
        database.read("SELECT 1")


def test_errors_quote_no_data(path: Any) -> None:
    database = open_again(path)
    with pytest.raises(ProfileError) as caught:
        database.read("SELECT canary")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    database.close()


def test_input_errors_pass_unchanged_and_roll_back(path: Any) -> None:
    database = open_again(path)
    with pytest.raises(InputError), database.write() as connection:
        connection.execute("DELETE FROM t")
        raise InputError("no")
    assert database.read("SELECT count(*) FROM t") == [(50,)]
    database.close()
