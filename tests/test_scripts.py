"""Benchmarks and studies still import what they use; running them takes models and minutes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPTS = sorted([*(ROOT / "bench").glob("*.py"), *(ROOT / "runs").glob("*.py")])
EXTRAS = {"torch", "transformers", "matplotlib", "rouge_score", "nltk", "bm25s", "ray"}

IMPORT = """
import importlib.util, sys
for path in sys.argv[1:]:
    spec = importlib.util.spec_from_file_location("imported", path)
    module = sys.modules["imported"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ModuleNotFoundError as error:
        print(path, error.name)
"""


@pytest.mark.slow
def test_every_script_imports() -> None:
    assert len(SCRIPTS) > 10
    done = subprocess.run(
        [sys.executable, "-c", IMPORT, *map(str, SCRIPTS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT / "bench",
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    missing = {line.split()[-1].split(".")[0] for line in done.stdout.splitlines()}
    assert missing <= EXTRAS, done.stdout
    if missing:
        pytest.skip(f"not installed: {', '.join(sorted(missing))}")
