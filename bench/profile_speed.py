"""How long a profile of 10,000 records takes to open, to search, and to choose from.

    python bench/profile_speed.py [--records 10000] [--json]

Records of 60 words from a vocabulary of 5,000, drawn by Zipf's law. A question has 2 to 6 words,
none of them among the 100 most frequent, since stop words are left out. "Common words" are
questions with those, which match four fifths of all records on average. The file is in the
temporary folder. What follows "open" in a name comes right after opening, when no page has been
decrypted yet; the other figures are of a profile in use. CPU time is of the calling thread; the
rest of the time on the clock is waiting, for the disk or for a core.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from costeer.gateway.page.records import LIMIT
from costeer.profile import cipher
from costeer.profile.database import Database
from costeer.profile.keys import Argon2, derive
from costeer.profile.profiles import Profile
from costeer.profile.records import KINDS, Draft
from costeer.profile.selection import Selection
from costeer.profile.store import Store

KEY = bytes(range(32))
WORDS = [f"word{number}" for number in range(5_000)]
WEIGHTS = [1 / rank for rank in range(1, len(WORDS) + 1)]
RUNS = 200


class Times(NamedTuple):
    """Milliseconds over many runs: on the clock, and of CPU time."""

    median: float
    slow: float
    cpu: float
    slow_cpu: float


def measure(work: Callable[[], object], runs: int) -> Times:
    """Medians and 95th percentiles over at least two runs."""
    clock, cpu = [], []
    for _ in range(runs):
        started, cpu_started = time.perf_counter(), time.thread_time()
        work()
        cpu.append(1000 * (time.thread_time() - cpu_started))
        clock.append(1000 * (time.perf_counter() - started))
    return Times(statistics.median(clock), slow(clock), statistics.median(cpu), slow(cpu))


def slow(times: list[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(times, n=20)[-1]


def drafts(chance: random.Random, count: int) -> list[Draft]:
    """Random records: 1 % preferences, 1 % facts, the rest samples and documents."""
    return [
        Draft(
            KINDS[0] if n % 100 == 0 else KINDS[1] if n % 100 == 1 else KINDS[2 + n % 2],
            " ".join(chance.choices(WORDS, WEIGHTS, k=60)) + f" number{n}",
        )
        for n in range(count)
    ]


def questions(
    chance: random.Random, *, first: int = 100, words: tuple[int, int] = (2, 6)
) -> Iterator[str]:
    """As many as the runs; none of their words is among the ``first`` most frequent."""
    known, weights = WORDS[first:], WEIGHTS[first:]
    counts = (chance.randint(*words) for _ in range(RUNS))
    return iter([" ".join(chance.choices(known, weights, k=count)) for count in counts])


def measure_use(profile: Profile, chance: random.Random) -> dict[str, Times]:
    """Searching, and choosing what a conversation reads, in a profile that is in use."""

    def search(asked: Iterator[str]) -> Times:
        return measure(lambda: profile.records.search(next(asked)), RUNS)

    def find(asked: Iterator[str]) -> Times:
        find = profile.records.find
        return measure(lambda: find(next(asked), active=None, limit=LIMIT), RUNS)

    def choose(asked: Iterator[str]) -> Times:
        return measure(lambda: profile.select(Selection(), next(asked)), RUNS)

    return {
        "search": search(questions(chance)),
        "search on the page": find(questions(chance)),
        "choose": choose(questions(chance)),
        "search, common words": search(questions(chance, first=0)),
        "search on the page, common words": find(questions(chance, first=0)),
        "choose, common words": choose(questions(chance, first=0)),
        "choose, 20 to 32 words": choose(questions(chance, words=(20, 32))),
    }


def measure_opening(path: Path, chance: random.Random) -> dict[str, Times]:
    """Opening with the key, and the first thing after it."""
    salt, asked = cipher.read_salt(path), questions(chance)

    def after_opening(work: Callable[[Store], object]) -> Times:
        def run() -> None:
            database = Database.open(path, KEY, salt)
            work(Store(database))
            database.close()

        return measure(run, RUNS // 2)

    return {
        "open": after_opening(lambda store: None),
        "open, first page": after_opening(lambda store: (store.all(limit=LIMIT), store.counts())),
        "open, search": after_opening(lambda store: store.search(next(asked))),
        "argon2id": measure(lambda: derive("a passphrase", salt, Argon2()), 10),
    }


def measure_all(folder: Path, count: int) -> tuple[dict[str, Times], dict[str, float]]:
    """All times, and how the file was made: seconds and MB."""
    chance, path = random.Random(0), folder / "bench.db"
    records = drafts(chance, count)
    with Profile("bench", Database.create(path, KEY)) as profile:
        started = time.perf_counter()
        profile.records.add_all(records)
        made = {"seconds": time.perf_counter() - started}
        times = measure_use(profile, chance)
    times |= measure_opening(path, chance)
    return times, made | {"MB": path.stat().st_size / 1e6}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        times, made = measure_all(Path(folder), options.records)
    if options.json:
        ms = {name: found._asdict() for name, found in times.items()}
        print(json.dumps({"records": options.records, **made, "ms": ms}))
        return
    print(f"{options.records:,} records, {made['MB']:.1f} MB, added in {made['seconds']:.1f} s")
    print(f"{'milliseconds':<32} median    95 %  CPU: median    95 %")
    for name, found in times.items():
        print(
            f"{name:<32} {found.median:6.1f}  {found.slow:6.1f}       {found.cpu:6.1f}  "
            f"{found.slow_cpu:6.1f}"
        )


if __name__ == "__main__":
    main()
