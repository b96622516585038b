import os
from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy.odometer import AHEAD, Odometer, forget_spent
from costeer.privacy.spent_file import FILE, SpentFile


def test_what_was_spent_is_there_after_a_restart(tmp_path: Any) -> None:
    odometer = Odometer(SpentFile(tmp_path))
    odometer.acquire()
    odometer.reserve(-0.5, 1.0, 8)
    odometer.add(0.75)
    odometer.release()
    again = Odometer(SpentFile(tmp_path))
    assert (again.low, again.high) == (0.75, 0.75)
    forget_spent(SpentFile(tmp_path))
    assert Odometer(SpentFile(tmp_path)).high == 0.0


def test_a_crash_charges_what_was_reserved(tmp_path: Any) -> None:
    odometer = Odometer(SpentFile(tmp_path))
    odometer.reserve(-0.5, 1.0, 8)  # and then the process ends
    crashed = Odometer(SpentFile(tmp_path))
    assert (crashed.low, crashed.high) == (-0.5 - AHEAD, 1.0 + AHEAD)


def test_what_is_reserved_already_is_not_written_again(tmp_path: Any) -> None:
    odometer = Odometer(SpentFile(tmp_path))
    odometer.reserve(-0.5, 0.5, 8)
    odometer.add(AHEAD)
    before = (tmp_path / FILE).stat().st_ino  # every write makes a new file
    odometer.reserve(-0.5, 0.5, 8)
    assert (tmp_path / FILE).stat().st_ino == before
    odometer.reserve(-0.5, 0.75, 8)
    assert Odometer(SpentFile(tmp_path)).high == AHEAD + 0.75 + AHEAD


def test_an_answer_waits_until_the_other_has_spent(tmp_path: Any) -> None:
    first, second = Odometer(SpentFile(tmp_path)), Odometer(SpentFile(tmp_path))
    first.acquire()
    first.reserve(0.0, 1.0, 8)
    first.add(1.0)
    waited = []

    def pause(seconds: Any) -> None:
        waited.append(seconds)
        first.release()

    second.acquire(pause)
    assert len(waited) == 1
    assert second.high == 1.0  # it reads what the other has spent meanwhile
    second.release()


def test_an_answer_does_not_wait_for_ever(tmp_path: Any) -> None:
    first, second = Odometer(SpentFile(tmp_path)), Odometer(SpentFile(tmp_path))
    first.acquire()
    with pytest.raises(GuardError, match="Another answer"):
        second.acquire(patience=0.0)
    with pytest.raises(GuardError, match="Another answer"):  # it would wait for itself
        first.acquire()
    with pytest.raises(GuardError, match="Another answer"):
        forget_spent(SpentFile(tmp_path))
    first.release()


def test_whoever_gives_up_waiting_takes_nothing(tmp_path: Any) -> None:
    first, second = Odometer(SpentFile(tmp_path)), Odometer(SpentFile(tmp_path))
    first.acquire()

    def give_up(seconds: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        second.acquire(give_up)
    second.release()
    first.release()
    second.acquire(give_up)
    second.release()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_of_the_process_neither_spends_nor_takes_back_what_is_spent(tmp_path: Any) -> None:
    odometer = Odometer(SpentFile(tmp_path))
    odometer.acquire()
    odometer.reserve(-0.5, 1.0, 8)
    before = (tmp_path / FILE).read_text()
    child = os.fork()
    if child == 0:
        odometer.release()  # as the end of the process does
        try:
            odometer.reserve(-2.0, 2.0, 8)
        except GuardError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(child, 0)[1] == 0
    assert (tmp_path / FILE).read_text() == before
    odometer.release()


def test_a_folder_that_refuses_is_said_before_anything_is_spent(tmp_path: Any) -> None:
    spent = SpentFile(tmp_path)
    spent.lock_path.mkdir()
    with pytest.raises(GuardError, match="nothing can be spent"):
        Odometer(spent).acquire()
