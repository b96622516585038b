"""A fixture that runs ``costeer eval`` in this process."""

from functools import partial

import pytest


@pytest.fixture
def run(run):
    """Run a command of ``costeer eval``; (exit code, stdout, stderr)."""
    return partial(run, "eval")
