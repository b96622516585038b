"""Clients that other people wrote, unchanged, on one gateway. They are the extra ``clients``."""

from typing import Any

import pytest

from tests.gateway.conftest import gateway  # noqa: F401


def pytest_collection_modifyitems(items: Any) -> None:
    """Mark all tests of this folder."""
    for item in items:
        if "tests/clients/" in item.path.as_posix():
            item.add_marker(pytest.mark.clients)


@pytest.fixture
def base_url(gateway: Any) -> Any:  # noqa: F811
    """What a person sets in a client."""
    return f"{gateway.url}/v1"
