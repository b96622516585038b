"""For the tests of commands."""

from __future__ import annotations

import os
import sys

import pytest

from costeer.cli.main import main


@pytest.fixture
def run(monkeypatch, capfd, tmp_path):
    """Run a command line in this process; (exit code, stdout, stderr)."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("COSTEER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COSTEER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)  # main() sets it for the process

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["costeer", "eval", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = capfd.readouterr()
        return caught.value.code, out, err

    return run
