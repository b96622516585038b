"""The same rows over Ray. Starting Ray takes seconds, so it happens once, in its own process."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from costeer.exceptions import MissingDependencyError
from costeer_evals.run.job import run_job
from tests.support.tiny_runs import cogenesis, job, rows, scores

HAS_RAY = importlib.util.find_spec("ray") is not None

SCRIPT = """
import pathlib, sys
from dataclasses import replace
import ray
from costeer_evals.run.job import run_job
from costeer.exceptions import InputError
from tests.support.tiny_runs import cogenesis, job

folder = pathlib.Path(sys.argv[1])
path = cogenesis(folder / "dev.json", 4)
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
over_ray = job(folder / "ray.jsonl", "cogenesis", path, ray_workers=2)
assert run_job(over_ray).written == 12
assert run_job(over_ray).written == 0
too_long = job(folder / "other.jsonl", "cogenesis", path, ray_workers=1)
too_long = replace(too_long, choice=replace(too_long.choice, context=10))
try:
    run_job(too_long)
except InputError as error:
    assert "need up to" in str(error), error
else:
    raise AssertionError("it fitted")
"""


@pytest.mark.skipif(not HAS_RAY, reason='ray is not installed: pip install "costeer[ray]"')
def test_ray_writes_the_rows_of_one_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "ray.jsonl") == rows(scores(tmp_path, count=4))


@pytest.mark.skipif(HAS_RAY, reason="ray is installed")
def test_without_ray_it_says_so(tmp_path: Path) -> None:
    source = cogenesis(tmp_path / "dev.json", 1)
    with pytest.raises(MissingDependencyError, match="Ray is not installed"):
        run_job(job(tmp_path / "out.jsonl", "cogenesis", source, ray_workers=2))
