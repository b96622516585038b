"""How long a profile of 10,000 records takes to open and to search.

    python bench/profile_speed.py [--records 10000] [--json]

Records of 60 words from a vocabulary of 5,000, drawn by Zipf's law. A question has 2 to 6 words,
none of them among the 100 most frequent, since stop words are left out. "Common words" are
questions with those, which match three quarters of all records. Medians of many runs on a file in
the temporary folder, caches warm.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from costeer.profile import cipher
from costeer.profile.database import Database
from costeer.profile.keys import Argon2, derive
from costeer.profile.records import KINDS, Draft
from costeer.profile.selection import select
from costeer.profile.store import Store

KEY = bytes(range(32))
WORDS = [f"word{number}" for number in range(5_000)]
WEIGHTS = [1 / rank for rank in range(1, len(WORDS) + 1)]


def milliseconds(work: Callable[[], object], runs: int) -> tuple[float, float]:
    """Median and 95th percentile over runs."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times), statistics.quantiles(times, n=20)[-1]


def drafts(chance: random.Random, count: int) -> list[Draft]:
    """Random records: 1 % preferences, 1 % facts, the rest samples and documents."""
    return [
        Draft(
            KINDS[0] if n % 100 == 0 else KINDS[1] if n % 100 == 1 else KINDS[2 + n % 2],
            " ".join(chance.choices(WORDS, WEIGHTS, k=60)) + f" number{n}",
        )
        for n in range(count)
    ]


def question(chance: random.Random, first: int) -> str:
    """A few words, none of them among the ``first`` most frequent."""
    return " ".join(chance.choices(WORDS[first:], WEIGHTS[first:], k=chance.randint(2, 6)))


def find(store: Store, asked: Iterator[str]) -> None:
    """Search for the next question."""
    store.search(next(asked))


def read(store: Store, asked: Iterator[str]) -> None:
    """Choose what a conversation reads for the next question."""
    select(store.pinned(), store.search(next(asked)))


def measure(folder: Path, count: int) -> dict[str, float]:
    """All figures, in milliseconds, and the file's size in MB."""
    chance, path = random.Random(0), folder / "bench.db"
    database = Database.create(path, KEY)
    store = Store(database)
    records = drafts(chance, count)
    started = time.perf_counter()
    store.add_all(records)
    figures = {"add all": 1000 * (time.perf_counter() - started)}
    for name, first in (("", 100), (", common words", 0)):
        asked = iter([question(chance, first) for _ in range(400)])
        search, choose = partial(find, store, asked), partial(read, store, asked)
        figures[f"search{name}"], figures[f"search{name}, 95 %"] = milliseconds(search, 200)
        figures[f"choose{name}"], _ = milliseconds(choose, 200)
    database.close()
    salt = cipher.read_salt(path)
    figures["open"], figures["open, 95 %"] = milliseconds(
        lambda: Database.open(path, KEY, salt).close(), 100
    )
    figures["argon2id"], _ = milliseconds(lambda: derive("a passphrase", salt, Argon2()), 10)
    figures["MB"] = path.stat().st_size / 1e6
    return figures


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--records", type=int, default=10_000)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(Path(folder), options.records)
    if options.json:
        print(json.dumps({"records": options.records, **figures}))
        return
    print(f"{options.records:,} records, {figures.pop('MB'):.1f} MB")
    for name, figure in figures.items():
        print(f"{name:<28} {figure:8.1f} ms")


if __name__ == "__main__":
    main()
