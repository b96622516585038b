"""Who is compared: the truth once, the nearest among the others, and one record exchanged."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.exceptions import InputError
from costeer_evals.leakage.candidates import choose_candidates, key_record, swap_record
from costeer_evals.tasks.base import Sample


class ByLength:
    """Ranks by how close a text's length is."""

    name = "length"

    def rank(self, query: str, records: Any) -> list[int]:
        gap = [abs(len(record) - len(query)) for record in records]
        return sorted(range(len(records)), key=gap.__getitem__)


def person(name: Any, context: Any, needs: Any = None, kind: Any = "") -> Any:
    return Sample(str(name), "?", "?", None, str(name), context=context, needs=needs, kind=kind)


PEOPLE = [person(n, "x" * (n + 1)) for n in range(40)]


def test_twenty_with_the_truth_among_them_and_ten_of_the_nearest() -> None:
    found = choose_candidates(PEOPLE, 20, ByLength())
    assert len(set(found.contexts)) == 20
    assert found.contexts[found.truth] == PEOPLE[20].context
    near = {len(found.contexts[at]) for at in found.hard}
    assert near == {16, 17, 18, 19, 20, 22, 23, 24, 25, 26}
    assert found == choose_candidates(PEOPLE, 20, ByLength())


def test_the_place_of_the_truth_says_nothing() -> None:
    assert len({choose_candidates(PEOPLE, n, ByLength()).truth for n in range(40)}) > 8


def test_fewer_people_are_fewer_candidates_and_equal_contexts_are_one() -> None:
    people = [person(1, "a"), person(2, "b"), person(3, "b")]
    assert sorted(choose_candidates(people, 0, ByLength()).contexts) == ["a", "b"]
    with pytest.raises(InputError, match="same context"):
        choose_candidates(people[1:], 0, ByLength())


def test_the_record_that_matters_is_exchanged_with_the_next_of_the_kind() -> None:
    people = [
        person(1, "I am vegan.\n\nI hum.", "vegan", "diet"),
        person(2, "I fly.", "fly", "travel"),
        person(3, "I sing.\n\nI love steak.", "steak", "diet"),
    ]
    assert swap_record(people, 0) == "I love steak.\n\nI hum."
    assert swap_record(people, 2) == "I sing.\n\nI am vegan."
    assert swap_record(people, 1) is None


@pytest.mark.parametrize(
    ("context", "needs", "place"),
    [("one", None, 0), ("a\n\nb", None, None), ("a\n\nb", "B", 1), ("a\n\nab", "a", None)],
)
def test_which_record_matters(context: Any, needs: Any, place: Any) -> None:
    assert key_record(person(1, context, needs)) == place
