"""Which gain is recommended, and the command that finds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from costeer.cli.main import cli
from costeer_evals.methods.registry import parse_method
from costeer_evals.report import tuning
from tests.support.tiny_report import LLM, file, only, row
from tests.support.tiny_runs import everyday


def section(tmp_path: Path, respected: Any) -> Any:
    """Ten samples; each gain respects so many of them."""
    found = [row(LLM, f"s{i}", {"respected": False}, task="everyday") for i in range(10)]
    for gain, count in respected.items():
        made = parse_method(f"guided-auto:gain={gain}")
        more = {"task": "everyday", "changed": 1, "parameters": made.parameters}
        found += [row(made, f"s{i}", {"respected": i < count}, **more) for i in range(10)]
    return only(file(tmp_path, *found))


@pytest.mark.parametrize(
    ("respected", "best"),
    [
        ({0.5: 2, 1.25: 5, 2.5: 7, 3.75: 4}, 2.5),
        ({0.5: 6, 1.25: 6, 2.5: 6}, 0.5),
        ({0.5: 0, 1.25: 0, 2.5: 1}, 2.5),
    ],
)
def test_the_smallest_gain_that_none_clearly_beats(
    tmp_path: Path, respected: Any, best: Any
) -> None:
    made = section(tmp_path, respected)
    assert tuning.best(made).rows[0]["parameters"]["gain"] == best
    assert f"gain {best:g}" in tuning.verdict(made)


def test_nothing_to_choose_from(tmp_path: Path) -> None:
    assert tuning.best(section(tmp_path, {})) is None
    assert "No gain" in tuning.verdict(section(tmp_path, {}))


@pytest.mark.slow
def test_the_command(tmp_path: Path) -> None:
    data = everyday(tmp_path / "everyday.jsonl", 4)
    arguments = ["eval", "tune", "-t", "everyday", "--data", str(data), "--max-tokens", "4"]
    arguments += ["--out", str(tmp_path / "tune.jsonl"), "--gains", "0.5,2.5"]
    result = CliRunner().invoke(cli, [*arguments, "--llm", "fake:1", "--slm", "fake:2"])
    assert result.exit_code == 0, result.output
    assert "Best here: gain" in result.output and "respected" in result.output
