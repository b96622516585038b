"""Records: add, read, change, remove, search."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import InputError
from costeer.profile.records import KINDS, PINNED, WRITTEN, Draft


def add(store: Any, text: Any, kind: Any = "fact", **fields: Any) -> Any:
    return store.add(Draft(kind, text, **fields))[0]


def test_a_record_comes_back_as_it_was(store: Any) -> None:
    draft = Draft("sample", "Grüße\n\n你好 🙂", "A letter", "mail", "2020-01-02T03:04:05Z", False)
    record, new = store.add(draft)
    assert new
    assert store.get(record.id) == record
    for field in ("kind", "text", "title", "source", "written_at", "active"):
        assert getattr(record, field) == getattr(draft, field)


def test_the_same_twice_is_one(store: Any) -> None:
    first = add(store, "I am vegan.")
    again, new = store.add(Draft("fact", " I am\nvegan. "))
    assert not new
    assert again == first
    other, new = store.add(Draft("preference", "I am vegan."))
    assert new
    assert other.id == first.id + 1  # no number is used up


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from(KINDS), st.text(min_size=1, max_size=8))))
def test_adding_all_twice_adds_nothing_the_second_time(empty_store: Any, pairs: Any) -> None:
    drafts = [Draft(kind, f"x{text}") for kind, text in pairs]
    empty_store.remove([record.id for record in empty_store.all()])
    empty_store.add_all(drafts)
    before = empty_store.all()
    assert empty_store.add_all(drafts) == 0
    assert empty_store.all() == before
    assert len(before) <= len(drafts)


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from costeer.profile.database import Database
    from costeer.profile.store import Store
    from tests.support.profiles import KEY

    database = Database.create(tmp_path_factory.mktemp("store") / "one.db", KEY)
    yield Store(database)
    database.close()


def test_one_bad_draft_among_many_stores_none(store: Any) -> None:
    with pytest.raises(InputError):
        store.add_all([Draft("fact", "good"), Draft("fact", "")])
    assert store.all() == []


def test_list_by_kind_and_state(store: Any) -> None:
    add(store, "one"), add(store, "two", "sample"), add(store, "three", active=False)
    texts = lambda **which: [record.text for record in store.all(**which)]  # noqa: E731
    assert texts() == ["one", "two", "three"]
    assert texts(kind="fact") == ["one", "three"]
    assert texts(active=True) == ["one", "two"]
    assert texts(active=False) == ["three"]
    assert texts(limit=1, offset=1) == ["two"]
    assert store.counts() == {"fact": 2, "sample": 1}


def test_pinned_are_active_preferences_then_facts(store: Any) -> None:
    for text, kind in [("f1", "fact"), ("p1", "preference"), ("s", "sample"), ("f2", "fact")]:
        add(store, text, kind)
    add(store, "p2", "preference", active=False)
    assert [record.text for record in store.pinned()] == ["p1", "f1", "f2"]


def test_edit(store: Any) -> None:
    record = add(store, "I eat fish.", title="food")
    changed = store.edit(record.id, text="I am vegan.", kind="preference", active=False)
    assert (changed.text, changed.kind, changed.active) == ("I am vegan.", "preference", False)
    assert changed.title == "food"
    assert store.search("fish", active=None) == []
    assert [match.record.id for match in store.search("vegan", active=None)] == [record.id]
    store.check()


@pytest.mark.parametrize(
    "change", [{"text": ""}, {"text": "two"}, {"kind": "secret"}, {"text": "x" * 200_000}]
)
def test_an_edit_that_will_not_do_changes_nothing(store: Any, change: Any) -> None:
    record = add(store, "one")
    add(store, "two")
    with pytest.raises(InputError):
        store.edit(record.id, **change)
    assert store.get(record.id) == record


def test_remove_all_or_none(store: Any) -> None:
    records = [add(store, text) for text in ("one", "two", "three")]
    with pytest.raises(InputError, match="no record 99"):
        store.remove([records[0].id, 99])
    assert len(store.all()) == 3
    store.remove([records[0].id, records[2].id, records[0].id])
    assert [record.text for record in store.all()] == ["two"]
    assert add(store, "four").id > records[2].id  # numbers are not used again


def test_a_removed_record_leaves_no_word_in_the_index(store: Any, database: Any) -> None:
    number = add(store, "xylophone").id
    add(store, "violin")
    store.remove([number])
    blocks = b"".join(bytes(row[0]) for row in database.read("SELECT block FROM record_words_data"))
    assert b"violin" in blocks
    assert b"xylophon" not in blocks


def test_search_finds_by_stem_and_without_accents_and_says_which_words(store: Any) -> None:
    add(store, "Dinners at the Café are my favourite, dinner by dinner.")
    (match,) = store.search("Recommend a dinner in a cafe")
    assert match.words == ("dinners", "café", "dinner")


def test_search_does_not_find_by_stop_words(store: Any) -> None:
    add(store, "I live in a house with a dog. My name is Anna.")
    assert store.search("Recommend a dinner spot in the street with a view") == []
    assert store.search("the a in") == []


def test_search_is_best_first_then_by_number(store: Any) -> None:
    add(store, "a dog and a cat and a bird and a horse and many more")
    add(store, "dog dog dog")
    add(store, "dog dog dog", "sample")
    assert [match.record.id for match in store.search("dog")] == [2, 3, 1]


def test_search_by_kind_and_state(store: Any) -> None:
    add(store, "dog one"), add(store, "dog two", "sample"), add(store, "dog three", active=False)
    find = lambda **which: {match.record.text for match in store.search("dog", **which)}  # noqa: E731
    assert find() == {"dog one", "dog two"}
    assert find(kinds=["sample"]) == {"dog two"}
    assert find(active=None) == {"dog one", "dog two", "dog three"}
    assert len(store.search("dog", limit=1)) == 1


@pytest.mark.parametrize("active", [True, False, None])
@pytest.mark.parametrize("kinds", [KINDS, PINNED, WRITTEN, ("document",), ()])
def test_kinds_state_and_limit_only_leave_records_out_of_a_search(
    store: Any, kinds: Any, active: Any
) -> None:
    store.add_all(
        Draft(kind, "dog " * (n % 3 + 1) + f"cat {n}", active=n % 4 > 0)
        for n, kind in enumerate(KINDS * 4)
    )
    every = store.search("dog", active=None)
    assert len(every) == 16
    wanted = [
        match
        for match in every
        if match.record.kind in kinds and active in (None, match.record.active)
    ]
    for limit in (0, 1, 3, 64):
        assert store.search("dog", kinds=kinds, active=active, limit=limit) == wanted[:limit]


@pytest.mark.parametrize("limit", [1, 2, 64])
@pytest.mark.parametrize("active", [True, None])
@pytest.mark.parametrize("text", ["dog", "dog cat", "the", ""])
def test_find_is_a_search_without_the_words(store: Any, text: Any, active: Any, limit: Any) -> None:
    add(store, "a dog and a bird"), add(store, "dog cat"), add(store, "dog dog", active=False)
    found = store.find(text, active=active, limit=limit)
    assert found == [match.record for match in store.search(text, active=active, limit=limit)]
    assert bool(found) == text.startswith("dog")
