"""Hypothesis profiles, and a fixture that runs the command line in this process."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings

from costeer.cli.main import main

# Jobs that a shell puts into the background ignore Ctrl-C and hand that down; these tests send it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# `make test-exact` runs the comparison of the two modes with "thorough".
# "Explain" traces every line of a failing test: minutes instead of seconds before Python 3.12.
PHASES = [phase for phase in Phase if phase is not Phase.explain]
settings.register_profile("default", max_examples=15, deadline=None, phases=PHASES)
settings.register_profile("thorough", max_examples=1000, deadline=None, phases=PHASES)
settings.load_profile("default")


def pytest_addoption(parser: Any) -> None:
    parser.addoption(
        "--screenshots", metavar="FOLDER", help="where tests of the page leave pictures"
    )
    parser.addoption(
        "--device",
        metavar="DEVICE",
        default="cpu",
        help="where tests of models run torch, e.g. cuda",
    )


@pytest.fixture
def run(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> Callable[..., Any]:
    """Run a command line in this process; (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COSTEER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COSTEER_PRIVATE", str(tmp_path / "private"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # main() sets it for the process

    def run(*arguments: Any) -> tuple[Any, ...]:
        monkeypatch.setattr(sys, "argv", ["costeer", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capfd.readouterr()
        return caught.value.code, out, err

    return run


@pytest.fixture
def no_collection() -> Iterator[None]:
    """No garbage collection: Ctrl-C inside its callback, which hypothesis has, would be lost."""
    gc.disable()
    yield
    gc.enable()
