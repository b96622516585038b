from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.gateway import TextModel, running_gateway


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One gateway for all tests that leave it as it was."""
    slm = TextModel(seed=2, context_length=420)  # so that answers without a limit end soon
    folder = tmp_path_factory.mktemp("gateway")
    with running_gateway(folder, slm=slm, aliases=["gpt-5"]) as app:
        yield app
