import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.edge.batch_size import LONGEST, Pace


def settled(costs, agreement=0.95, rounds=600):
    """A pace that has seen these seconds by size."""
    pace = Pace()
    for i in range(rounds):
        size = pace.batch(len(costs))
        pace.spent(size, costs[size - 1])
        pace.saw(agreed=(i % 100) < agreement * 100)
    return pace


def chosen(pace, available, costs):
    counts = {}
    for _ in range(50):
        size = pace.batch(available)
        counts[size] = counts.get(size, 0) + 1
        pace.spent(size, costs[size - 1])
    return max(counts, key=counts.get)


def test_where_a_call_costs_the_same_whatever_its_size_all_go_together():
    costs = [0.03] * 8
    assert chosen(settled(costs), 8, costs) == 8


def test_where_a_call_costs_by_the_token_one_goes_at_a_time():
    costs = [0.04 * n for n in range(1, 9)]
    assert chosen(settled(costs), 8, costs) == 1


def test_the_measured_costs_of_a_cpu():
    costs = [0.043, 0.086, 0.129, 0.140, 0.170, 0.175, 0.177, 0.177]
    assert chosen(settled(costs, 0.97), 8, costs) == 8
    assert chosen(settled(costs, 0.97), 3, costs) == 1
    assert chosen(settled(costs, 0.5), 8, costs) == 1


def test_a_hiccup_is_forgotten():
    costs = [0.04, 0.045]
    pace = settled(costs)
    pace.spent(2, 3.0)
    for _ in range(3000):
        size = pace.batch(2)
        pace.spent(size, costs[size - 1])
    assert chosen(pace, 2, costs) == 2


@given(
    available=st.integers(1, 100),
    seen=st.lists(st.tuples(st.integers(1, LONGEST), st.floats(0, 10)), max_size=20),
    agreed=st.lists(st.booleans(), max_size=200),
)
def test_never_more_than_there_are(available, seen, agreed):
    pace = Pace()
    for size, seconds in seen:
        pace.spent(size, seconds)
    for one in agreed:
        pace.saw(agreed=one)
    assert 1 <= pace.batch(available) <= min(available, LONGEST)


def test_the_first_call_takes_what_is_there():
    assert Pace().batch(1) == 1


@pytest.mark.parametrize("agreement", [0.0, 1.0])
def test_extreme_agreement(agreement):
    pace = settled([0.04] * 4, agreement)
    assert 1 <= pace.batch(4) <= 4
