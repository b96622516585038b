"""The file with what has been spent."""

from __future__ import annotations

import json
from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import FILE, SpentFile


@pytest.mark.parametrize(
    "damaged", ["", "[]", '{"low": 0}', '{"low": "x", "high": 0}', '{"low": 2, "high": 1}',
                '{"low": NaN, "high": 0}', '{"low": 0, "high": Infinity}']
)  # fmt: skip
def test_a_damaged_file_does_not_start_again_from_nothing(tmp_path: Any, damaged: Any) -> None:
    (tmp_path / FILE).write_text(damaged)
    with pytest.raises(GuardError, match="damaged"):
        Odometer(SpentFile(tmp_path))
    assert (tmp_path / FILE).read_text() == damaged


def test_the_file_holds_two_numbers_and_nothing_else(tmp_path: Any) -> None:
    Odometer(SpentFile(tmp_path)).reserve(-1.0, 2.0, 2.0)
    assert json.loads((tmp_path / FILE).read_text()) == {"low": -1.25, "high": 2.0}
