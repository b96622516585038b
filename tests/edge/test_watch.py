import numpy as np

from costeer.decoding.steering import log_softmax
from costeer.edge.watch import ALLOWED, ENOUGH, Watch

FLAT = np.full(64, -np.log(4096), np.float32)  # the top 64 of 4096 equal ones
SURE = log_softmax(20 * np.eye(1, 4096, dtype=np.float32))
TOP = np.sort(SURE[0])[::-1][:64]


def test_flat_rows_where_the_small_model_is_sure_are_noticed_within_two() -> None:
    watch = Watch()
    watch.saw_own(0, np.repeat(SURE, 2, axis=0))
    assert [watch.trusts(position, FLAT) for position in range(2)] == [
        False,
        False,
    ] or watch.tripped


def test_rows_as_sure_as_the_small_model_are_trusted_for_ever() -> None:
    watch = Watch()
    for position in range(500):
        watch.saw_own(position, SURE)
        assert watch.trusts(position, TOP)


def test_a_little_flatter_now_and_then_is_allowed() -> None:
    """An excess is forgotten again, as honest rows follow it."""
    watch, odd = (
        Watch(),
        np.log(np.full(20, 1 / 20, np.float32)),
    )  # 3 nats: 1 beyond what is allowed
    for position in range(200):
        watch.saw_own(position, SURE)
        assert watch.trusts(position, odd if position % 3 == 0 else TOP)
    assert ALLOWED < np.log(20) < ALLOWED + ENOUGH


def test_the_same_row_asked_for_again_counts_once_and_what_was_seen_stays() -> None:
    watch = Watch()
    watch.saw_own(0, SURE)
    odd = np.log(np.full(90, 1 / 90, np.float32))  # 2.5 nats beyond
    for _ in range(10):
        assert watch.trusts(0, odd)
    watch.saw_own(1, SURE)
    watch.saw_own(2, SURE)
    watch.trusts(1, odd)
    assert not watch.trusts(2, odd)
    assert not watch.trusts(2, TOP)
    assert not Watch(tripped=True).trusts(0, TOP)


def test_without_a_row_of_its_own_it_says_nothing() -> None:
    assert Watch().trusts(5, FLAT)
    assert Watch().trusts(0, np.zeros(0, np.float32))
