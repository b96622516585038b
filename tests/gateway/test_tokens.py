from __future__ import annotations

import json
import os
import stat
import threading
from pathlib import Path
from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer.gateway.tokens import FILE, TokenStore

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs modes of files")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    return TokenStore(tmp_path / "gateway")


def test_a_token_is_found_by_itself_and_by_nothing_else(store: Any) -> None:
    assert not store.exists
    assert store.find("") is None
    app, owner = store.add("open-webui", "app"), store.add("me", "owner")
    assert store.exists
    assert (store.find(app).name, store.find(app).scope) == ("open-webui", "app")
    assert store.find(owner).scope == "owner"
    for wrong in ("", app[:-1], app + " ", app.upper(), "é", "\ud800", store.find(app).sha256):
        assert store.find(wrong) is None


def test_a_revoked_token_is_worthless_at_once_everywhere(store: Any, tmp_path: Path) -> None:
    other = TokenStore(tmp_path / "gateway")
    token = store.add("app", "app")
    assert other.find(token)
    store.revoke("app")
    assert other.find(token) is None
    assert other.exists  # so that revoking the last one lets nobody in
    again = store.add("app", "app")
    assert again != token
    assert other.find(again)


def test_the_token_itself_is_kept_nowhere(store: Any, tmp_path: Path) -> None:
    token = store.add("app", "app")
    files = [path for path in (tmp_path / "gateway").iterdir() if path.is_file()]
    assert all(token.encode() not in path.read_bytes() for path in files)
    assert {path.name for path in files} == {FILE, ".lock"}


@POSIX
def test_others_may_neither_enter_the_folder_nor_read_the_file(store: Any, tmp_path: Path) -> None:
    store.add("app", "app")
    assert stat.S_IMODE((tmp_path / "gateway").stat().st_mode) == 0o700
    file = tmp_path / "gateway" / FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    file.chmod(0o644)
    with pytest.raises(InputError, match="chmod 600"):
        TokenStore(tmp_path / "gateway").tokens()


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\nb", "\x1b[0m"])
def test_names_that_are_no_names(store: Any, name: Any) -> None:
    with pytest.raises(InputError):
        store.add(name, "app")


def test_names_are_taken_once(store: Any) -> None:
    store.add("app", "app")
    with pytest.raises(InputError, match="already"):
        store.add("app", "owner")
    with pytest.raises(InputError, match="no token"):
        store.revoke("other")


@pytest.mark.parametrize(
    "damage", [b"", b"{", b"[]", b'{"tokens": [5]}', b'{"tokens": [{"name": "x"}]}', b"\xff",
               json.dumps({"tokens": [{"name": "x", "scope": "root", "sha256": "", "created": 0}]})
               .encode()]
)  # fmt: skip
def test_a_damaged_file_lets_nobody_in(store: Any, tmp_path: Path, damage: Any) -> None:
    token = store.add("app", "app")
    file = tmp_path / "gateway" / FILE
    file.write_bytes(damage)
    with pytest.raises(InputError, match="damaged"):
        TokenStore(tmp_path / "gateway").find(token)


@pytest.mark.slow
def test_two_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    stores, added = [TokenStore(tmp_path) for _ in range(8)], []

    def add(number: Any) -> None:
        while True:
            try:
                added.append(stores[number].add(f"app {number}", "app"))
                return
            except InputError:  # another is at it
                continue

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(TokenStore(tmp_path).tokens()) == len(added) == 8
