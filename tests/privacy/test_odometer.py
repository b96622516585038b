import json
from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy.odometer import AHEAD, FILE, Odometer, forget_spent


def test_what_was_spent_is_there_after_a_restart(tmp_path: Any) -> None:
    odometer = Odometer(tmp_path)
    odometer.acquire()
    odometer.reserve(-0.5, 1.0, 8)
    odometer.add(0.75)
    odometer.release()
    again = Odometer(tmp_path)
    assert (again.low, again.high) == (0.75, 0.75)
    forget_spent(tmp_path)
    assert Odometer(tmp_path).high == 0.0


def test_a_crash_charges_what_was_reserved(tmp_path: Any) -> None:
    odometer = Odometer(tmp_path)
    odometer.reserve(-0.5, 1.0, 8)  # and then the process ends
    crashed = Odometer(tmp_path)
    assert (crashed.low, crashed.high) == (-0.5 - AHEAD, 1.0 + AHEAD)


def test_what_is_reserved_already_is_not_written_again(tmp_path: Any) -> None:
    odometer = Odometer(tmp_path)
    odometer.reserve(-0.5, 0.5, 8)
    odometer.add(AHEAD)
    before = (tmp_path / FILE).stat().st_ino  # every write makes a new file
    odometer.reserve(-0.5, 0.5, 8)
    assert (tmp_path / FILE).stat().st_ino == before
    odometer.reserve(-0.5, 0.75, 8)
    assert Odometer(tmp_path).high == AHEAD + 0.75 + AHEAD


def test_two_answers_do_not_spend_at_once(tmp_path: Any) -> None:
    first, second = Odometer(tmp_path), Odometer(tmp_path)
    first.acquire()
    with pytest.raises(GuardError, match="Another answer"):
        second.acquire()
    first.reserve(0.0, 1.0, 8)
    first.add(1.0)
    first.release()
    second.acquire()
    assert second.high == 1.0  # it reads what the other has spent meanwhile
    second.release()


@pytest.mark.parametrize(
    "damaged", ["", "[]", '{"low": 0}', '{"low": "x", "high": 0}', '{"low": 2, "high": 1}',
                '{"low": NaN, "high": 0}', '{"low": 0, "high": Infinity}']
)  # fmt: skip
def test_a_damaged_file_does_not_start_again_from_nothing(tmp_path: Any, damaged: Any) -> None:
    (tmp_path / FILE).write_text(damaged)
    with pytest.raises(GuardError, match="damaged"):
        Odometer(tmp_path)
    assert (tmp_path / FILE).read_text() == damaged


def test_the_file_holds_two_numbers_and_nothing_else(tmp_path: Any) -> None:
    Odometer(tmp_path).reserve(-1.0, 2.0, 2.0)
    assert json.loads((tmp_path / FILE).read_text()) == {"low": -1.25, "high": 2.0}
