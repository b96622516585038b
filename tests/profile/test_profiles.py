"""Profiles by name: made whole or not at all, opened by four ways, never overwritten."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError, ProfileError, ProfileFileError, ProfileKeyError
from costeer.profile import keyfile, profiles
from costeer.profile.records import Draft
from costeer.profile.selection import Selection
from tests.support.profiles import FAST, PASSPHRASE

CANARY = "kanarienvogel-7919-ß"


def create(name: Any = "default") -> Any:
    return profiles.create(name, PASSPHRASE, FAST)


def files_of(home: Any) -> Any:
    return {path: path.read_bytes() for path in home.rglob("*") if path.is_file()}


def test_profiles_are_found_by_name(home: Any) -> None:
    assert profiles.names() == []
    create("work"), create()
    (home / "stray").mkdir()
    assert profiles.names() == ["default", "work"]


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../x", "A", "ä", "a b", "con", "x" * 33])
def test_what_is_no_name(name: Any) -> None:
    with pytest.raises(InputError, match="no name"):
        create(name)


def test_a_profile_is_never_overwritten(home: Any) -> None:
    create()
    before = files_of(home)
    with pytest.raises(InputError, match="exists already"):
        create()
    assert files_of(home) == before


def test_a_failed_creation_leaves_nothing(home: Any) -> None:
    with pytest.raises(InputError, match="passphrase"):
        profiles.create("default", "short", FAST)
    assert not home.exists()


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_folders_and_files_are_their_owner_s(make: Any, home: Any) -> None:
    before = os.umask(0)
    try:
        make().records.add(Draft("fact", "one"))
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in [home, *home.rglob("*")]}
    assert {mode for name, mode in modes.items() if "." in name} == {0o600}
    assert modes["profiles"] == modes["default"] == 0o700


def test_passphrase_and_recovery_code_open_it_and_others_do_not(home: Any) -> None:
    code = create()
    for way, secret in (("passphrase", PASSPHRASE), ("recovery", code), ("recovery", code.lower())):
        profiles.open_by_secret("default", secret, way).close()
    before = files_of(home)
    for way, secret in (("passphrase", "another one"), ("passphrase", code), ("recovery", "AAAA")):
        with pytest.raises(ProfileKeyError, match="wrong"):
            profiles.open_by_secret("default", secret, way)
    assert files_of(home) == before


def test_the_keyring_opens_it_until_it_is_locked(memory_keyring: Any) -> None:
    create()
    assert profiles.open_by_keyring("default") is None
    profiles.unlock("default", profiles.read_key("default", PASSPHRASE))
    opened = profiles.open_by_keyring("default")
    assert opened is not None
    opened.close()
    entry = dict(memory_keyring.entries)
    profiles.lock("default")
    assert memory_keyring.entries == {}
    memory_keyring.entries.update(entry)  # an old copy of the keyring opens nothing
    assert profiles.open_by_keyring("default") is None


def test_a_changed_passphrase_opens_and_the_old_one_and_its_code_do_not(home: Any) -> None:
    code = create()
    key = profiles.read_key("default", code, "recovery")
    new_code = profiles.change_passphrase("default", key, "another passphrase", FAST)
    assert profiles.read_key("default", "another passphrase") == key
    assert profiles.read_key("default", new_code, "recovery") == key
    for way, secret in (("passphrase", PASSPHRASE), ("recovery", code)):
        with pytest.raises(ProfileKeyError):
            profiles.read_key("default", secret, way)


def test_four_errors_differ(home: Any) -> None:
    """Wrong key, plain file, damaged page, database of another profile; none is touched."""
    create(), create("other")
    database = home / "default" / profiles.DATABASE
    good = database.read_bytes()
    damaged = bytearray(good)
    damaged[500] ^= 1
    contents = {
        "wrong": (good, "another passphrase", ProfileKeyError),
        "plain SQLite": (b"SQLite format 3\0" + bytes(9000), PASSPHRASE, ProfileFileError),
        "damaged": (bytes(damaged), PASSPHRASE, ProfileFileError),
        "another key": (
            (home / "other" / profiles.DATABASE).read_bytes(),
            PASSPHRASE,
            ProfileKeyError,
        ),
    }
    for message, (content, secret, kind) in contents.items():
        database.write_bytes(content)
        before = files_of(home)
        with pytest.raises(kind, match=message):
            profiles.open_by_secret("default", secret)
        assert files_of(home).items() >= before.items()


def test_a_missing_key_file_says_what_that_means(home: Any) -> None:
    create()
    (home / "default" / profiles.KEYS).unlink()
    with pytest.raises(ProfileFileError, match="nothing opens"):
        profiles.open_by_secret("default", PASSPHRASE)


def test_no_such_profile(home: Any) -> None:
    with pytest.raises(InputError, match="no profile"):
        profiles.open_by_secret("default", PASSPHRASE)


def test_a_backup_made_while_in_use_can_be_restored(make: Any, home: Any, tmp_path: Path) -> None:
    profile = make()
    profile.records.add(Draft("fact", "committed a moment ago"))
    profiles.backup(profile, tmp_path / "backup")
    profile.records.add(Draft("fact", "later"))
    profiles.restore("again", tmp_path / "backup")
    with profiles.open_by_secret("again", PASSPHRASE) as restored:
        assert [record.text for record in restored.records.all()] == ["committed a moment ago"]
        restored.records.check()


def test_backup_and_restore_overwrite_nothing(make: Any, home: Any, tmp_path: Path) -> None:
    profile = make()
    (tmp_path / "taken").mkdir()
    (tmp_path / "file").write_text("mine")
    for target in (tmp_path / "taken", tmp_path / "file"):
        with pytest.raises(InputError, match="exists already"):
            profiles.backup(profile, target)
    profiles.backup(profile, tmp_path / "backup")
    with pytest.raises(InputError, match="exists already"):
        profiles.restore("default", tmp_path / "backup")
    with pytest.raises(ProfileError):
        profiles.restore("new", tmp_path / "taken")
    assert profiles.names() == ["default"]


def test_wipe_takes_the_key_first_and_leaves_nothing(
    make: Any, home: Any, memory_keyring: Any
) -> None:
    make().close()
    profiles.unlock("default", profiles.read_key("default", PASSPHRASE))
    profiles.wipe("default")
    assert list(home.iterdir()) == []
    assert memory_keyring.entries == {}


def test_wipe_works_on_a_damaged_profile(home: Any) -> None:
    create()
    (home / "default" / profiles.KEYS).write_text("damaged")
    profiles.wipe("default")
    assert profiles.names() == []


@pytest.mark.slow
def test_a_copy_of_all_files_holds_no_private_word(make: Any, home: Any, tmp_path: Path) -> None:
    """Taken while it is in use: database, log, index and key file."""
    profile = make()
    for number in range(60):
        profile.records.add(Draft("sample", f"{CANARY} {number}", CANARY, CANARY))
    conversation = profile.conversations.create(CANARY)
    profile.conversations.add(conversation.id, "user", CANARY)
    profile.records.search(CANARY)
    profile.records.remove([1, 2, 3])
    shutil.copytree(home, tmp_path / "copy")
    profiles.backup(profile, tmp_path / "copy" / "backup")
    everything = files_of(tmp_path / "copy")
    assert {path.name for path in everything} >= {"profile.db", "profile.db-wal", "key.json"}
    for path, content in everything.items():
        assert b"kanarienvogel" not in content, path
        assert PASSPHRASE.encode() not in content, path


def test_select_reads_pinned_records_first(make: Any) -> None:
    profile = make()
    profile.records.add(Draft("sample", "A dinner in a sunny spot"))
    profile.records.add(Draft("preference", "I am vegan."))
    selection = Selection()
    profile.select(selection, "Recommend a dinner spot")
    assert [choice.record.id for choice in selection.chosen] == [2, 1]


def test_what_is_written_needs_two_words_of_the_question_and_facts_one(make: Any) -> None:
    """A sample that shares one common word is most often about something else."""
    profile = make()
    for kind in ("document", "sample", "fact"):
        profile.records.add(Draft(kind, f"Somebody's {kind} about a dinner " + "x" * 30))
    for question, read in (("Recommend a dinner spot", [3]), ("And dinner?", [3, 1, 2])):
        selection = Selection(budget=400)
        profile.select(selection, question)
        assert sorted(c.record.id for c in selection.chosen) == sorted(read)


def test_the_key_file_names_its_database(home: Any) -> None:
    create()
    file = keyfile.load(home / "default" / profiles.KEYS)
    assert (home / "default" / profiles.DATABASE).read_bytes()[:16] == file.database_salt
