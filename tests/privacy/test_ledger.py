"""The ledger shows what left the device."""

from __future__ import annotations

import threading
from typing import Any

from costeer.cloud.base import TrafficRecord
from costeer.privacy.ledger import Ledger, Totals


def entry(*ids: Any, up: Any = 10, down: Any = 20) -> Any:
    return TrafficRecord(0.0, "POST /v1/completions", ids, up, down)


def test_totals_and_order() -> None:
    ledger = Ledger()
    assert ledger.totals == Totals()
    ledger.record(entry(1, up=5, down=7))
    before = ledger.totals
    ledger.record(entry(1, 2, up=1, down=2))
    assert ledger.totals == Totals(2, 6, 9)
    assert ledger.totals - before == Totals(1, 1, 2)
    assert [(one.tokens, one.bytes_up) for one in ledger.entries] == [(1, 5), (2, 1)]


def test_each_conversation_is_shown_once_at_its_longest() -> None:
    ledger = Ledger()
    for ids in [(), (1, 2), (1, 2, 3), (1, 2), (9,), (9, 8), (1, 2, 3)]:
        ledger.record(entry(*ids))
    assert ledger.sequences() == [(1, 2, 3), (9, 8)]


def test_what_was_taken_belongs_to_its_prompt() -> None:
    ledger = Ledger()
    ledger.record_answer((1, 2, 3))
    assert ledger.sequences() == []  # nothing went up
    ledger.record(entry(1, 2))
    ledger.record_answer((1, 2, 3))
    assert ledger.sequences() == [(1, 2, 3)]


def test_what_is_kept_is_bounded_and_what_is_forgotten_is_counted() -> None:
    ledger = Ledger(most_ids=1000, most_entries=50)
    for talk in range(100):
        for length in range(100, 110):  # the requests of one answer
            ledger.record(entry(*range(talk, talk + length)))
    kept = ledger.sequences()
    assert sum(map(len, kept)) <= 1000
    assert len(kept) + ledger.forgotten == 100
    assert kept[-1] == tuple(range(99, 99 + 109))
    assert len(ledger.entries) == 50
    assert ledger.totals == Totals(1000, 10_000, 20_000)


def test_one_sequence_is_kept_whatever_its_length() -> None:
    ledger = Ledger(most_ids=3)
    ledger.record(entry(1, 2, 3, 4))
    assert ledger.sequences() == [(1, 2, 3, 4)]


def test_recording_looks_at_the_latest_only() -> None:
    """So that it takes as long after a thousand conversations as after one."""
    ledger = Ledger()
    for talk in range(1000):
        ledger.record(entry(talk))
    assert len(list(ledger._latest())) == 32


def test_writing_from_several_threads() -> None:
    ledger = Ledger()
    threads = [
        threading.Thread(target=lambda: [ledger.record(entry(1)) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.totals.requests == len(ledger.entries) == 2000


def sent(body: Any, ids: Any = (1,)) -> Any:
    return TrafficRecord(0.0, "POST /v1/completions", ids, len(body), 0, body)


def test_bodies_are_kept_only_when_asked_for_and_up_to_a_limit() -> None:
    ledger, keeping = Ledger(), Ledger(most_bytes=10)
    for body in (b"1234", b"5678", b"9", b"", b"a" * 6):
        ledger.record(sent(body))
        keeping.record(sent(body))
    assert ledger.bodies == ()
    assert [one.body for one in keeping.bodies] == [b"9", b"a" * 6]
    keeping.record(sent(b"b" * 11))
    assert keeping.bodies == ()  # larger than all that may be kept


def test_a_tally_counts_the_exchanges_of_one_prompt() -> None:
    ledger = Ledger()
    ledger.record(sent(b"before", (7, 8)))
    tally = ledger.open_tally((7, 8))
    ledger.record(sent(b"mine", (7, 8, 9)))
    ledger.record(sent(b"another's", (7, 9)))
    totals = ledger.close_tally(tally)
    ledger.record(sent(b"after", (7, 8)))
    assert (totals.requests, totals.bytes_up) == (1, 4)
    assert tally.totals == totals
    assert tally.exchanges is None


def test_a_tally_keeps_the_exchanges_where_it_is_asked_to() -> None:
    ledger = Ledger()
    tally = ledger.open_tally((7, 8), keep=True)
    for body, ids in ((b"one", (7, 8)), (b"another's", (7, 9)), (b"two", (7, 8, 9))):
        ledger.record(sent(body, ids))
    ledger.close_tally(tally)
    assert [one.body for one in tally.exchanges] == [b"one", b"two"]
