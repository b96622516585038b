import threading

from costeer.cloud.base import TrafficRecord
from costeer.privacy.ledger import Ledger, Totals


def entry(*ids, up=10, down=20):
    return TrafficRecord(0.0, "POST /v1/completions", ids, up, down)


def test_totals_and_order():
    ledger = Ledger()
    assert ledger.totals == Totals()
    ledger.record(entry(1, up=5, down=7))
    before = ledger.totals
    ledger.record(entry(1, 2, up=1, down=2))
    assert ledger.totals == Totals(2, 6, 9)
    assert ledger.totals - before == Totals(1, 1, 2)
    assert [record.token_ids for record in ledger.records] == [(1,), (1, 2)]


def test_each_conversation_is_shown_once_at_its_longest():
    ledger = Ledger()
    for ids in [(), (1, 2), (1, 2, 3), (1, 2), (9,), (9, 8), (1, 2, 3)]:
        ledger.record(entry(*ids))
    assert ledger.sequences() == [(1, 2, 3), (9, 8)]


def test_writing_from_several_threads():
    ledger = Ledger()
    threads = [
        threading.Thread(target=lambda: [ledger.record(entry(1)) for _ in range(500)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ledger.totals.requests == len(ledger.records) == 2000
