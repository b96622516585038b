"""Rows through the hub's own library, offline: from a folder that has the hub's layout.

In a process of its own, because the library reads where its cache is when it is imported.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

CARD = """---
configs:
- config_name: topic_writing_user
  data_files:
  - split: test
    path: topic/test.jsonl
---
"""
SCRIPT = """
import json, sys
from costeer_evals.tasks import hub
from costeer.exceptions import FetchError
folder = sys.argv[1]
for repository, config, limit in (
    (folder, "topic_writing_user", 2),
    (folder, "topic_writing_user", None),
    (folder, "nothing", None),
    ("LongLaMP/LongLaMP", "topic_writing_user", None),
):
    try:
        rows = list(hub.read(repository, config, "test", limit))
        shown = [[row.number, row.text("input"), len(row.rows("profile"))] for row in rows]
        print(json.dumps(shown))
    except FetchError as error:
        print(json.dumps(str(error)))
"""


def test_rows_come_in_order_up_to_the_limit_and_failures_are_one_line(tmp_path: Path) -> None:
    if find_spec("datasets") is None:
        pytest.skip("datasets is not installed")
    folder = tmp_path / "longlamp"
    (folder / "topic").mkdir(parents=True)
    (folder / "README.md").write_text(CARD)
    rows = [{"input": f"row {i}", "profile": [{"summary": "a"}] * i} for i in range(1, 5)]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    (folder / "topic" / "test.jsonl").write_text(lines)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "HF_HOME": str(tmp_path / "cache"),
            "HF_HUB_OFFLINE": "1",
        },
    )
    two, four, nothing, offline = map(json.loads, done.stdout.splitlines())
    assert two == [[1, "row 1", 1], [2, "row 2", 2]]
    assert len(four) == 4
    for message in (nothing, offline):
        assert "give the path of files" in message and "\n" not in message
