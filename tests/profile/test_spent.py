"""What is spent from a profile's account, also after crashes and in copies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

import pytest

from costeer.exceptions import ProfileFileError
from costeer.privacy.odometer import AHEAD, Odometer, forget_spent
from costeer.profile import profiles
from tests.profile.conftest import FAST, PASSPHRASE

SPEND = """
import os, signal, sys
from costeer.privacy.odometer import Odometer
from costeer.profile import profiles
odometer = Odometer(profiles.open_by_secret("me", sys.argv[1]).spent)
odometer.acquire()
odometer.reserve(-0.5, 1.0, 8)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def opened(home: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("COSTEER_PROFILES", str(home))
    profiles.create("me", PASSPHRASE, FAST)
    with profiles.open_by_secret("me", PASSPHRASE) as profile:
        yield profile


def test_what_was_spent_is_there_when_the_profile_is_opened_again(opened: Any) -> None:
    odometer = Odometer(opened.spent)
    odometer.acquire()
    odometer.reserve(-0.5, 1.0, 8)
    odometer.add(0.75)
    odometer.release()
    opened.close()
    with profiles.open_by_secret("me", PASSPHRASE) as again:
        assert again.spent.read() == (0.75, 0.75)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_a_killed_process_is_charged_what_it_had_reserved(opened: Any) -> None:
    done = subprocess.run([sys.executable, "-c", SPEND, PASSPHRASE], check=False)
    assert done.returncode == -signal.SIGKILL
    odometer = Odometer(opened.spent)
    odometer.acquire()  # the lock died with the process
    assert (odometer.low, odometer.high) == (-0.5 - AHEAD, 1.0 + AHEAD)
    odometer.release()


def test_an_account_begins_once_with_what_was_spent_elsewhere(opened: Any) -> None:
    opened.spent.begin_at(-1.0, 2.0)
    opened.spent.begin_at(0.0, 0.0)
    assert opened.spent.read() == (-1.0, 2.0)


def test_a_restored_profile_spends_nothing_until_it_starts_again(
    opened: Any, tmp_path: Any
) -> None:
    profiles.backup(opened, tmp_path / "copy")
    opened.spent.write(0.0, 3.0)
    profiles.restore("again", tmp_path / "copy")
    with profiles.open_by_secret("again", PASSPHRASE) as restored:
        with pytest.raises(ProfileFileError, match="restored") as caught:
            Odometer(restored.spent)
        assert "budget reset --profile again" in str(caught.value.hint)
        forget_spent(restored.spent)
        assert Odometer(restored.spent).high == 0.0
    assert opened.spent.read() == (0.0, 3.0)
