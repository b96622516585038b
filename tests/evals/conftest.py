"""A fixture that runs ``costeer eval`` in this process."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest


@pytest.fixture
def run(run: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command of ``costeer eval``; (exit code, stdout, stderr)."""
    return partial(run, "eval")
