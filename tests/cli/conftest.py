"""A profile for commands that work with one and without."""

from __future__ import annotations

from pathlib import Path

import pytest

from costeer.profile import profiles
from tests.profile.conftest import FAST, PASSPHRASE


@pytest.fixture
def profile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[str, str]:
    """The options that name a profile; its passphrase is in a file."""
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    file = tmp_path / "passphrase"
    file.write_text(PASSPHRASE)
    file.chmod(0o600)
    monkeypatch.setenv("COSTEER_PASSPHRASE_FILE", str(file))
    profiles.create("me", PASSPHRASE, FAST)
    return "--profile", "me"
