"""A few hundred odd requests; bench/fuzz_server.py sends as many as one likes."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "bench" / "fuzz_server.py"


@pytest.mark.slow
def test_odd_requests_leave_no_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(SCRIPT.parent)  # for bench/common.py
    spec = importlib.util.spec_from_file_location("fuzz_server", SCRIPT)
    fuzz = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fuzz)
    found = fuzz.attack(300, 5, tmp_path / "log")
    assert found["requests"] == 300
    assert (found["5xx"], found["hangs"], found["tracebacks"]) == (0, 0, 0), found
    assert found["free_slots"] == 4
    assert found["files"][1] <= found["files"][0]
    assert found["statuses"]["200"] > 20
