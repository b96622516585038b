"""Which records a conversation reads: properties that a person may rely on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.records import KINDS, Draft, Record
from costeer.profile.selection import (
    RecordChoice,
    Selection,
    context_list,
    select,
    select_more,
)
from costeer.profile.store import Match

texts = st.text("ab \n", min_size=1, max_size=30).filter(str.strip)


@st.composite
def questions(draw: Any, start: Any = 1) -> Any:
    """Pinned records, matches (some of them pinned ones), and a budget."""
    pinned = [
        Record(draw(st.sampled_from(KINDS[:2])), text, id=start + index)
        for index, text in enumerate(draw(st.lists(texts, max_size=8)))
    ]
    others = [
        Record(draw(st.sampled_from(KINDS)), text, id=start + 100 + index)
        for index, text in enumerate(draw(st.lists(texts, max_size=8)))
    ]
    found = draw(st.permutations([*pinned, *others]))
    kept = found[: draw(st.integers(0, len(found)))]
    return pinned, [Match(record, ("a",)) for record in kept], draw(st.integers(1, 200))


def ids(choices: Any) -> Any:
    return [choice.record.id for choice in choices]


def size(choices: Any) -> Any:
    return sum(len(choice.record.text) for choice in choices)


@pytest.mark.slow
@given(questions())
def test_the_first_question(question: Any) -> None:
    pinned, matches, budget = question
    chosen = select(pinned, matches, budget)
    read = ids(chosen.read)
    first = [choice for choice in chosen.read if choice.reason.startswith("pinned")]
    assert len(read) == len(set(read))
    assert size(first) <= budget / 2
    assert size(chosen.read) <= max(budget * 0.75, size(first))
    # Pinned ones in front, in their order; then matches in theirs.
    assert read[: len(first)] == ids(first) == [r.id for r in pinned if r.id in set(ids(first))]
    rest = read[len(first) :]
    assert rest == [m.record.id for m in matches if m.record.id in set(rest)]
    # Nothing is silently missing.
    wanted = {record.id for record in pinned} | {match.record.id for match in matches}
    assert set(read) | set(ids(chosen.left_out)) == wanted
    assert not set(read) & set(ids(chosen.left_out))
    assert select(pinned, matches, budget) == chosen


@pytest.mark.slow
@given(questions(), st.integers(1, 200))
def test_unrelated_samples_and_documents_never_evict_what_is_pinned(
    question: Any, count: Any
) -> None:
    pinned, matches, budget = question
    before = [c for c in select(pinned, matches, budget).read if c.reason.startswith("pinned")]
    crowd = [Match(Record("sample", "ab" * 9, id=1000 + n), ("x",)) for n in range(count)]
    for more in ([*matches, *crowd], [*crowd, *matches]):
        after = select(pinned, more, budget).read
        assert list(after[: len(before)]) == before


@pytest.mark.slow
@given(questions(), st.lists(questions(start=500), max_size=4))
def test_a_conversation_only_appends(first: Any, later: Any) -> None:
    pinned, matches, budget = first
    selection = Selection(budget)
    selection.ask(pinned, matches)
    for more_pinned, more, _ in later:
        before = selection.chosen
        added = selection.ask(more_pinned, more)
        assert selection.chosen == before + added.read
        assert len(set(ids(selection.chosen))) == len(selection.chosen)
        assert size(selection.chosen) <= max(budget, size(before))


@pytest.mark.slow
@given(questions())
def test_a_conversation_that_is_taken_up_again_goes_on_as_if_never_left(question: Any) -> None:
    pinned, matches, budget = question
    lived = Selection(budget)
    lived.ask(pinned, [])
    if lived.chosen:
        again = Selection(budget, chosen=lived.chosen)
        assert again.ask(pinned, matches) == lived.ask(pinned, matches)
        assert again.chosen == lived.chosen


@given(st.lists(texts, max_size=6))
def test_every_record_of_a_context_stays_one_record(found: Any) -> None:
    from costeer.edge.prompts import RECORD_BREAK

    choices = [RecordChoice(Record("fact", text, id=n), "") for n, text in enumerate(found)]
    context = "\n\n".join(context_list(choices))
    assert len([part for part in RECORD_BREAK.split(context) if part.strip()]) == len(found)


def test_the_size_may_be_counted_in_tokens() -> None:
    records = [Record("fact", "one two three", id=1), Record("fact", "four", id=2)]
    chosen = select(records, [], 2, size=lambda text: len(text.split()))
    assert ids(chosen.read) == [2]
    assert chosen.left_out == (RecordChoice(records[0], "left out: no room"),)


def test_a_fact_beyond_half_of_the_budget_is_searched_like_a_sample() -> None:
    records = [Record("fact", "x" * 50, id=1), Record("fact", "y" * 20, id=2)]
    chosen = select(records, [Match(records[1], ("y",))], 100)
    assert [(c.record.id, c.reason) for c in chosen.read] == [
        (1, "pinned: every fact is read"),
        (2, "matches: y"),
    ]
    assert chosen.left_out == ()


def test_select_more_reads_nothing_twice() -> None:
    one = Record("sample", "x", id=1)
    assert select_more([RecordChoice(one, "")], [Match(one, ("x",))]).read == ()


def test_two_hundred_unrelated_records_change_nothing_for_a_question(store: Any) -> None:
    """On the real index: the facts and preferences of a person, and then a flood."""
    for kind, text in [
        ("fact", "My name is Anna, and I live in a house with a dog."),
        ("preference", "I am vegan."),
        ("sample", "Dear Tom, our dinner was a delight."),
    ]:
        store.add(Draft(kind, text))
    question = "Recommend a dinner spot"
    before = select(store.pinned(), store.search(question)).read
    assert [choice.record.text[:9] for choice in before] == ["I am vega", "My name i", "Dear Tom,"]
    store.add_all(Draft("sample", f"The river number {n} is long.") for n in range(100))
    store.add_all(Draft("document", f"Mountains, chapter {n}.") for n in range(100))
    after = select(store.pinned(), store.search(question)).read
    assert after == before


def test_the_reason_says_that_a_record_is_sent() -> None:
    chosen = select([Record("preference", "[send]\nAnswer in Spanish.", id=1)], [])
    assert [choice.reason for choice in chosen.read] == [
        "sent to the large model with every question"
    ]
