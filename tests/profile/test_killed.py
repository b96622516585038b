"""Nothing that was committed is lost when the process is killed."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
SCRIPT = Path(__file__).parents[2] / "bench" / "profile_kill.py"


@pytest.mark.slow
def test_ten_kills(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("profile_kill", SCRIPT)
    script = importlib.util.module_from_spec(spec)
    sys.modules["profile_kill"] = script  # dataclasses look there
    spec.loader.exec_module(script)
    total = script.run(tmp_path, 10, seed=os.getpid(), longest=0.05)
    assert total.rounds == 10
    assert total.committed > 10
