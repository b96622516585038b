"""What is shown of a token: how far it was moved, and its candidates."""

import math
from typing import Any

import pytest

from costeer.edge.answer import Chunk, Result
from costeer.edge.detail import Candidate, Detail
from costeer.edge.verify import Step
from costeer.gateway.page import tokens


def spell(token: Any) -> Any:
    """Letters; the two halves of "ß" are 195 and 159."""
    raw = bytes([token])
    return raw.decode("utf-8", "replace"), raw


def candidate(token: Any, before: Any, after: Any, at_least: Any = None) -> Any:
    low = after if at_least is None else at_least
    values = (math.log(one) for one in (before, after, low))
    return Candidate(token, *values, certain=True)


@pytest.mark.parametrize(
    ("before", "after", "at_least", "expected"),
    [
        (0.1, 0.4, 0.4, 2.0),
        (0.4, 0.1, 0.1, -2.0),
        (0.2, 0.2, 0.2, 0.0),
        (0.1, 0.9, 0.2, 1.0),  # at least doubled
        (0.4, 0.2, 0.01, -1.0),  # at least halved
        (0.2, 0.4, 0.1, 0.0),  # nobody can tell
    ],
)
def test_the_shift_is_the_smallest_move_that_is_possible(
    before: Any, after: Any, at_least: Any, expected: Any
) -> None:
    shift = tokens.shift(candidate(1, before, after, at_least))
    assert shift == pytest.approx(expected, abs=1e-3)


def made(strength: Any = 1.0) -> Any:
    detail = Detail(
        chosen=candidate(97, 0.1, 0.4),
        llm=(candidate(98, 0.7, 0.2), candidate(97, 0.1, 0.4)),
        steered=(candidate(97, 0.1, 0.4), candidate(98, 0.7, 0.2, 0.1)),
    )
    step = Step(3, 97, 98, True, 0, 64, 0.0, True, 4, detail=detail)
    return tokens.describe(Chunk("a", step), Result(strengths=[(0, strength)]), spell)


def test_a_token() -> None:
    assert made() == {
        "i": 3,
        "id": 97,
        "text": "a",
        "shift": 2.0,
        "changed": True,
        "own": {"id": 98, "text": "b"},
        "before": [[98, "b", 0.7], [97, "a", 0.1]],
        "after": [[97, "a", 0.4], [98, "b", 0.2, True]],
        "strength": 1.0,
        "end": False,
    }
    assert made("off")["shift"] is None


def test_what_is_packed_is_unpacked() -> None:
    some = [made() | {"i": position} for position in range(3)]
    assert tokens.unpack(tokens.pack(some)) == some
    assert tokens.unpack(tokens.pack([])) == []


@pytest.mark.parametrize(("chosen", "changed"), [(97, True), (98, False)])
def test_another_word_in_its_place(chosen: Any, changed: Any) -> None:
    other = tokens.replaced(made(), chosen)
    assert (other["id"], other["changed"], other["shift"]) == (chosen, changed, None)
    assert other["after"] == made()["after"]


def test_what_is_no_candidate_cannot_be_chosen() -> None:
    assert tokens.replaced(made(), 99) is None


def test_texts_hold_back_half_a_character() -> None:
    some = [made() | {"id": one} for one in b"a\xc3\x9f"]
    assert [one["text"] for one in tokens.with_texts(some, spell)] == ["a", "", "ß"]
