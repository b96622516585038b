"""Keys: sealing, passphrases, recovery codes, and the file that holds them."""

from __future__ import annotations

import json
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import InputError, ProfileFileError, ProfileKeyError
from costeer.profile import keyfile, keys
from costeer.profile.keys import Argon2
from tests.support.profiles import FAST, KEY, PASSPHRASE


@given(st.binary(min_size=32, max_size=32), st.integers(0, 59), st.integers(0, 7))
def test_what_is_sealed_opens_only_unchanged_and_by_the_same_key(
    by: Any, byte: Any, bit: Any
) -> None:
    sealed = keys.seal(KEY, by, b"place")
    assert keys.unseal(sealed, by, b"place") == KEY
    raw = bytearray(sealed.nonce + sealed.data)
    raw[byte] ^= 1 << bit
    changed = keys.Sealed(bytes(raw[:12]), bytes(raw[12:]))
    for wrong in ((changed, by, b"place"), (sealed, by[::-1] + b"!", b"place"), (sealed, by, b"x")):
        with pytest.raises(ProfileKeyError):
            keys.unseal(*wrong)


@pytest.mark.slow
def test_argon2id_gives_the_reference_s_result() -> None:
    """The reference: echo -n password | argon2 somesalt -id -t 2 -k 65536 -p 1."""
    derived = keys.derive("password", b"somesalt", Argon2(65_536, 2, 1))
    assert derived.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_a_passphrase_is_the_same_from_every_keyboard() -> None:
    composed, decomposed = "se\u00f1or caf\u00e9", "sen\u0303or cafe\u0301"
    assert keys.derive(composed, bytes(16), FAST) == keys.derive(decomposed, bytes(16), FAST)


@pytest.mark.parametrize("passphrase", ["", "seven77"])
def test_a_short_passphrase_is_refused(passphrase: Any) -> None:
    with pytest.raises(InputError, match="fewer than 8"):
        keys.check_passphrase(passphrase)


def test_recovery_codes_differ_and_may_be_copied_carelessly() -> None:
    code = keys.new_recovery_code()
    assert code != keys.new_recovery_code()
    assert len(code.replace("-", "")) == 32
    for typed in (code.lower(), code.replace("-", " "), f" {code.replace('-', '')}\n"):
        assert keys.read_recovery_code(typed) == code
    confused = code.replace("O", "0").replace("I", "1").replace("B", "8")
    assert keys.read_recovery_code(confused) == code


@pytest.fixture
def file() -> Any:
    file = keyfile.new(b"s" * 16).with_secret("passphrase", PASSPHRASE, KEY, FAST)
    return file.with_key("keyring", bytes(32), KEY)


def test_every_way_opens_and_survives_the_disk(file: Any, tmp_path: Path) -> None:
    keyfile.save(file, tmp_path / "key.json")
    loaded = keyfile.load(tmp_path / "key.json")
    assert loaded == file
    assert loaded.open_by_secret("passphrase", PASSPHRASE) == KEY
    assert loaded.open_by_key("keyring", bytes(32)) == KEY


def test_the_file_holds_no_key(file: Any) -> None:
    text = keyfile.dump(file)
    assert KEY.hex() not in text and PASSPHRASE not in text


@pytest.mark.parametrize(
    "attempt",
    [
        lambda file: file.open_by_secret("passphrase", "something else"),
        lambda file: file.open_by_secret("recovery", PASSPHRASE),
        lambda file: file.open_by_key("keyring", b"1" * 32),
        lambda file: file.without("keyring").open_by_key("keyring", bytes(32)),
    ],
)
def test_what_does_not_open_it(file: Any, attempt: Any) -> None:
    with pytest.raises(ProfileKeyError):
        attempt(file)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"format": 1}',
        '{"format": "1", "id": "x"}',
        "\x00",
        "[" * 10_000,
    ],
)
def test_a_damaged_file(tmp_path: Path, text: Any) -> None:
    (tmp_path / "key.json").write_text(text)
    with pytest.raises(ProfileFileError, match="damaged"):
        keyfile.load(tmp_path / "key.json")


def test_a_missing_or_newer_file(tmp_path: Path) -> None:
    with pytest.raises(ProfileFileError, match="missing"):
        keyfile.load(tmp_path / "key.json")
    (tmp_path / "key.json").write_text('{"format": 2}')
    with pytest.raises(ProfileFileError, match="newer"):
        keyfile.load(tmp_path / "key.json")


@given(data=st.data())
def test_a_file_with_one_wrong_character_opens_nothing_wrong(data: Any) -> None:
    """Whatever is changed: an error of ours, or the right key."""
    file = keyfile.new(b"s" * 16).with_secret("passphrase", PASSPHRASE, KEY, FAST)
    text = keyfile.dump(file)
    place = data.draw(st.integers(0, len(text) - 1))
    changed = text[:place] + data.draw(st.sampled_from('0a9"{},:x ')) + text[place + 1 :]
    try:
        fields = json.loads(changed)
        assert fields["locks"]["passphrase"]["argon2id"]["memory_kib"] < 10_000
        assert fields["locks"]["passphrase"]["argon2id"]["passes"] < 10
    except (ValueError, KeyError, TypeError, AssertionError):
        return  # covered above, or too slow to try
    try:
        found = _load(changed)
    except ProfileFileError:
        return
    with suppress(ProfileKeyError, ProfileFileError):
        assert found.open_by_secret("passphrase", PASSPHRASE) == KEY


def _load(text: Any) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "key.json")
        path.write_text(text)
        return keyfile.load(path)


@pytest.mark.parametrize(
    "params", [Argon2(1 << 40, 1, 1), Argon2(64, 1 << 20, 1), Argon2(64, 0, 1), Argon2(64, 1, 9)]
)
def test_a_key_file_cannot_ask_for_all_memory_or_for_none(params: Any) -> None:
    with pytest.raises(ProfileFileError, match="out of range"):
        keys.derive(PASSPHRASE, bytes(16), params)


def test_a_salt_that_was_cut_off() -> None:
    with pytest.raises(ProfileFileError, match="too short"):
        keys.derive(PASSPHRASE, b"short", FAST)
