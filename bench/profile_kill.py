"""Kill a process again and again while it writes to a profile, and see whether anything is lost.

    python bench/profile_kill.py [--rounds 200] [--seed 0] [--json]

A child adds, changes and removes records and conversations, and says on a pipe what has been
committed. After a random time it is killed (SIGKILL). Then everything that it said must be there,
every page must match its checksum, and the index of words must match the records. This shows that a
killed process loses nothing; whether a power cut does depends on the disk, which is asked to flush
at every commit (synchronous = FULL).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from costeer.profile import cipher
from costeer.profile.conversations import Conversations
from costeer.profile.database import Database
from costeer.profile.records import Draft
from costeer.profile.store import Store

KEY = bytes(range(32))
NAME = "killed.db"


@dataclass
class Total:
    """What all rounds together saw."""

    rounds: int = 0
    committed: int = 0
    """Changes that a child had said were committed; every one was found."""
    in_flight: int = 0
    """Rounds in which the change under way at the kill was there, too: committed, not yet said."""


def write_for_ever(path: Path, start: int) -> None:
    """The child: change things, and print the number of each change when it is committed."""
    database = Database.open(path, KEY, cipher.read_salt(path))
    store, conversations = Store(database), Conversations(database)
    number = start
    while True:
        with database.write():
            store.add(Draft("sample", f"record {number}: " + "and its words " * (number % 200)))
            if number % 3 == 0:
                conversations.add(conversations.create(f"{number}").id, "user", f"say {number}")
            if number % 5 == 4:
                change_earlier(store, number)
        os.write(1, f"{number}\n".encode())
        number += 1


def change_earlier(store: Store, number: int) -> None:
    """Edit the record before the last one."""
    record = store.all(limit=1, offset=number - 1)[0]
    store.edit(record.id, text=f"{record.text} edited")


def kill_once(path: Path, seconds: float) -> tuple[int, bool]:
    """One round; how many changes were said, and whether another one had been committed.

    Raises:
        AssertionError: something is lost or half there.
    """
    start = count(path)
    child = subprocess.Popen(
        [sys.executable, __file__, "--child", str(path), str(start)], stdout=subprocess.PIPE
    )
    assert child.stdout is not None
    first = child.stdout.readline()  # it has begun
    time.sleep(seconds)
    child.kill()
    said = (first + child.stdout.read()).decode().splitlines()
    child.wait()
    child.stdout.close()
    return check(path, start, int(said[-1]) + 1 if said else start)


def count(path: Path) -> int:
    """How many records there are."""
    database = Database.open(path, KEY, cipher.read_salt(path))
    number = sum(Store(database).counts().values())
    database.close()
    return number


def check(path: Path, start: int, said: int) -> tuple[int, bool]:
    """See ``kill_once``; ``said`` is how many records the child has spoken of in all."""
    database = Database.open(path, KEY, cipher.read_salt(path))
    store = Store(database)
    store.check()
    texts = [record.text for record in store.all()]
    assert said <= len(texts) <= said + 1, (said, len(texts))
    for number, text in enumerate(texts):
        assert text.startswith(f"record {number}:"), number
        assert text.endswith("edited") == (number % 5 == 3 and number + 1 < len(texts)), number
    titles = {int(one.title) for one in Conversations(database).all()}
    assert titles == set(range(0, len(texts), 3))
    database.close()
    return said - start, len(texts) > said


def run(folder: Path, rounds: int, seed: int, longest: float = 0.25) -> Total:
    """All rounds on one profile that grows; a child lives up to ``longest`` seconds."""
    chance, total = random.Random(seed), Total()
    path = folder / NAME
    Database.create(path, KEY).close()
    for _ in range(rounds):
        committed, in_flight = kill_once(path, chance.uniform(0, longest))
        total.rounds += 1
        total.committed += committed
        total.in_flight += in_flight
    return total


def main() -> None:
    """Run and print."""
    if sys.argv[1:2] == ["--child"]:
        write_for_ever(Path(sys.argv[2]), int(sys.argv[3]))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        total = run(Path(folder), options.rounds, options.seed)
    if options.json:
        print(json.dumps(asdict(total)))
        return
    print(
        f"{total.rounds} kills, {total.committed:,} changes committed before them: none lost, "
        f"every check passed. In {total.in_flight} rounds the change under way was whole, too."
    )


if __name__ == "__main__":
    main()
