from __future__ import annotations

from typing import Any

import pytest

from costeer.edge.schedule import StrengthSchedule
from costeer.exceptions import ParameterError


def test_a_change_holds_from_the_next_position_on_and_is_recorded() -> None:
    schedule = StrengthSchedule("auto")
    assert schedule.fix(0).gain == schedule.fix(1).gain == 2.5
    schedule.change("off")
    schedule.change("strong")
    assert schedule.fix(2).gain == 3.75
    assert schedule.record == [(0, "auto"), (2, "strong")]


def test_a_record_gives_the_same_strengths_again() -> None:
    record = [(0, "off"), (3, 0.5), (4, "auto")]
    schedule = StrengthSchedule(record)
    assert [schedule.fix(i).gain for i in range(5)] == [0, 0, 0, 0.5, 2.5]
    assert schedule.record == record


def test_a_change_replaces_what_was_planned() -> None:
    schedule = StrengthSchedule([(0, "off"), (3, "auto")])
    schedule.fix(0)
    schedule.change("light")
    schedule.fix(1)
    schedule.fix(5)
    assert schedule.record == [(0, "off"), (1, "light")]


def test_a_change_before_the_first_token_keeps_what_an_answer_went_on_from() -> None:
    schedule = StrengthSchedule([(0, "off"), (2, "light")], begin=4)
    schedule.change("strong")
    schedule.fix(4)
    assert schedule.record == [(0, "off"), (2, "light"), (4, "strong")]


def test_the_same_strength_again_is_no_change() -> None:
    schedule = StrengthSchedule("auto")
    schedule.fix(0)
    schedule.change("auto")
    schedule.fix(1)
    assert schedule.record == [(0, "auto")]


@pytest.mark.parametrize("wrong", ["much", float("nan"), -1, [], [(1, "auto")], [(0, 1), (0, 2)]])
def test_wrong_strengths_are_refused_at_once(wrong: Any) -> None:
    with pytest.raises(ParameterError):
        StrengthSchedule(wrong)


def test_a_wrong_change_changes_nothing() -> None:
    schedule = StrengthSchedule("auto")
    with pytest.raises(ParameterError):
        schedule.change("much")
    assert schedule.fix(0).gain == 2.5
