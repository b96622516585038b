from collections.abc import Iterator
from typing import Any

import pytest

from costeer.profile import profiles
from tests.support.page import running_page
from tests.support.profiles import FAST, PASSPHRASE


@pytest.fixture(scope="module")
def page(tmp_path_factory: Any) -> Iterator[Any]:
    """A page without a profile, for the tests of one file."""
    with running_page(tmp_path_factory.mktemp("page"), text="I am vegan.") as client:
        yield client


@pytest.fixture
def profile(tmp_path: Any, monkeypatch: Any) -> Iterator[Any]:
    """An open profile."""
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path / "profiles"))
    profiles.create("default", PASSPHRASE, FAST)
    with profiles.open_by_secret("default", PASSPHRASE) as opened:
        yield opened
