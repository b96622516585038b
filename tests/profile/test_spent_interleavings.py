"""Whatever happens to a profile between draws, no more than the cap is ever spent."""

from __future__ import annotations

import math
import subprocess
import sys
from functools import partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ProfileFileError
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.profile import profiles
from costeer.profile.export import jsonl
from costeer.profile.importers.read import import_into, read
from tests.profile.conftest import FAST, PASSPHRASE

EPSILON = 0.75
"""Small, so that a few draws reach it."""

IDS = np.arange(3, dtype=np.int32)
LOGPROBS = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32))
NUMBERS = count()

Draw = tuple[bool, int]  # whether the context speaks for token 0, and which token is drawn
DRAWS = st.lists(st.tuples(st.booleans(), st.integers(0, 2)), min_size=1, max_size=6)
ANSWERS = st.tuples(DRAWS, st.sampled_from(["ends", "killed before a draw", "killed after one"]))
EVENTS = st.one_of(
    ANSWERS, st.sampled_from(["opened again", "restored", "imported", "gave up waiting"])
)


class Killed(Exception):
    """The process is gone."""


class Mortal:
    """A profile's account as a process sees it that may be killed: then it writes no more."""

    def __init__(self, spent: Any) -> None:
        self._spent, self.lock_path, self.dead = spent, spent.lock_path, False

    def read(self) -> Any:
        return self._spent.read()

    def write(self, low: float, high: float) -> None:
        if self.dead:
            raise Killed
        self._spent.write(low, high)


class Person:
    """A profile, and what its answers have really told; nats."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.name, self.told = folder, f"p{next(NUMBERS)}", 0.0
        profiles.create(self.name, PASSPHRASE, FAST)
        self.profile = profiles.open_by_secret(self.name, PASSPHRASE)

    def answer(self, draws: list[Draw], end: str) -> None:
        account = Mortal(self.profile.spent)
        odometer = Odometer(account)
        odometer.acquire()
        try:
            for speaks_for, token in draws:
                self._draw(odometer, speaks_for, partial(nearest, token))
            if end == "killed before a draw":
                self._draw(odometer, True, kill)
            account.dead = end == "killed after one"
        except Killed:
            account.dead = True
        try:
            odometer.release()  # a process that ends, in whatever way, has no lock any more
        except Killed:
            assert account.dead

    def _draw(self, odometer: Any, speaks_for: bool, pick: Any) -> None:
        bonus = np.array([9.0, 0.0, -9.0], dtype=np.float32) * (1 if speaks_for else -1)
        budget = Budget(EPSILON, odometer, pick)
        _, nats = budget.choose(IDS, LOGPROBS, bonus, 1.0, 1.0)
        self.told += nats
        assert abs(self.told) <= EPSILON

    def happen(self, event: str) -> None:
        known = self.profile.spent.read()
        if event == "opened again":
            self.profile.close()
            self.profile = profiles.open_by_secret(self.name, PASSPHRASE)
        elif event == "restored":
            self._spend_from_a_copy()
        elif event == "imported":
            file = self.folder / f"{next(NUMBERS)}.jsonl"
            file.write_text("".join(jsonl(self.profile)), "utf-8")
            import_into(self.profile.records, read([file]))
        else:
            self._give_up_waiting()
        assert self.profile.spent.read() == known

    def _spend_from_a_copy(self) -> None:
        number = next(NUMBERS)
        profiles.backup(self.profile, self.folder / f"b{number}")
        profiles.restore(f"r{number}", self.folder / f"b{number}")
        with profiles.open_by_secret(f"r{number}", PASSPHRASE) as copy:
            copy.spent.begin_at(0.0, 0.0)
            with pytest.raises(ProfileFileError, match="restored"):
                Odometer(copy.spent)

    def _give_up_waiting(self) -> None:
        spending, waiting = Odometer(self.profile.spent), Odometer(self.profile.spent)
        spending.acquire()
        spending.reserve(0.0, 0.1, EPSILON)
        reserved = self.profile.spent.read()
        with pytest.raises(Killed):
            waiting.acquire(kill)
        waiting.release()
        assert self.profile.spent.read() == reserved
        spending.release()


def nearest(token: int, weights: Any) -> int:
    """That token, or the next one that can be drawn."""
    order = [(token + step) % len(weights) for step in range(len(weights))]
    return next(index for index in order if weights[index] > 0)


def kill(_: Any) -> int:
    raise Killed


@pytest.mark.slow
@given(st.lists(EVENTS, max_size=8))
def test_no_interleaving_spends_more_than_the_cap(events: Any) -> None:
    with TemporaryDirectory() as folder:
        person = Person(Path(folder))
        try:
            for event in events:
                if isinstance(event, str):
                    person.happen(event)
                else:
                    person.answer(*event)
                low, high = person.profile.spent.read()
                assert low - 1e-9 <= person.told <= high + 1e-9
        finally:
            person.profile.close()


SPEND = """
import sys
import numpy as np
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.profile import profiles

odometer = Odometer(profiles.open_by_secret("me", sys.argv[1]).spent)
budget, told = Budget(float(sys.argv[2]), odometer), 0.0
logprobs = np.log(np.array([0.5, 0.3, 0.2], dtype=np.float32))
bonus = np.array([9.0, 0.0, -9.0], dtype=np.float32)
print("ready", flush=True)
sys.stdin.readline()
for _ in range(20):
    odometer.acquire()
    for _ in range(3):
        told += budget.choose(np.arange(3, dtype=np.int32), logprobs, bonus, 1.0, 1.0)[1]
    odometer.release()
print(told)
"""


@pytest.mark.slow
def test_two_processes_spend_from_one_account_one_answer_at_a_time(home: Any) -> None:
    profiles.create("me", PASSPHRASE, FAST)
    line = [sys.executable, "-c", SPEND, PASSPHRASE, "2.0"]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    both = [subprocess.Popen(line, **pipes) for _ in range(2)]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:  # both have read the account before either spends
        process.stdin.write("\n")
        process.stdin.flush()
    told = [float(process.communicate(timeout=60)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert abs(sum(told)) <= 2.0
    with profiles.open_by_secret("me", PASSPHRASE) as profile:
        low, high = profile.spent.read()
    assert math.isclose(low, sum(told), abs_tol=1e-6) and math.isclose(high, low, abs_tol=1e-6)
