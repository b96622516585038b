"""Entities: what the model reads, what becomes a value, and that its files are checked."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.exceptions import ModelFileError
from costeer.privacy.entities import (
    PACKAGE,
    SpacyEntities,
    load_entities,
    load_folder,
    mask,
)
from costeer.privacy.guard import Guard
from costeer.privacy.values import Value

NAMES = st.text("bcdfghjklmnpqrstvwxyzüñø", min_size=1, max_size=12).map(lambda word: f"Zq{word}")
installed = pytest.mark.skipif(
    find_spec(PACKAGE) is None, reason="costeer[detect] is not installed"
)


class Capitals:
    """A pipeline that takes every run of capitalised words for a person."""

    def __init__(self, label: str = "PERSON") -> None:
        self.label = label
        self.read: list[str] = []

    @contextmanager
    def memory_zone(self) -> Iterator[None]:
        yield

    def __call__(self, text: str) -> Any:
        self.read.append(text)
        found = re.finditer(r"[A-ZÄÖÜ]\w+(?:\s[A-ZÄÖÜ]\w+)*", text)
        return SimpleNamespace(
            ents=[
                SimpleNamespace(start_char=m.start(), end_char=m.end(), label_=self.label)
                for m in found
            ]
        )


def find(text: str, *known: Value, label: str = "PERSON") -> list[tuple[str, str]]:
    values = SpacyEntities(Capitals(label)).find(text, known)
    return [(value.text, value.kind) for value in values]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("we met Halina and Ömer Öz", ["Halina", "Ömer Öz"]),
        ("we met Halina, HALINA and Halina's son", ["Halina"]),
        ("we saw Halina\r\nKassel is far", ["Halina", "Kassel"]),
        ("she likes Reading and reading", []),
        ("on Monday", []),
        ("Agenda: we met Halina. Writing_style: dry", ["Halina"]),
    ],
)
def test_what_becomes_a_value(text: str, expected: list[str]) -> None:
    assert [found for found, _ in find(text)] == expected


@pytest.mark.parametrize(
    ("label", "kind"),
    [("PERSON", "name"), ("GPE", "place"), ("FAC", "place"), ("ORG", "organisation")],
)
def test_labels_become_kinds(label: str, kind: str) -> None:
    assert find("we met Halina", label=label) == [("Halina", kind)]
    assert find("we met Halina", label="LANGUAGE") == []


def test_of_an_entity_only_what_is_not_known_is_new() -> None:
    maren, town = Value("Maren", "name"), Value("Vila do Conde", "place")
    assert find("we met Maren Okafor", maren) == [("Okafor", "name")]
    assert find("from Vila do Conde Nova, and Maren", maren, town) == [("Nova", "name")]
    assert find("MAREN and maren and Maren's", maren) == []


@pytest.mark.slow
def test_a_long_text_is_read_in_pieces_that_lose_nothing() -> None:
    text, pipeline = "we met Halina " * 4000 + "x" * 50_000 + " Okafor", Capitals()
    found = SpacyEntities(pipeline).find(text, [])
    assert [value.text for value in found] == ["Halina", "Okafor"]
    assert "".join(pipeline.read) == text
    assert max(map(len, pipeline.read)) <= 20_000


@pytest.mark.slow
@given(st.lists(NAMES, min_size=4, max_size=4, unique=True))
def test_the_model_reads_the_same_whatever_the_known_values_are(names: list[str]) -> None:
    def read(first: str, second: str) -> Any:
        known = [Value(first, "name"), Value(f"{second} Works", "organisation")]
        text = f"{first} and {first.lower()}, {first.upper()} of {second} Works; {first}'s Halina."
        return mask(text, known)

    assert read(*names[:2]) == read(*names[2:])


def test_the_guard_puts_entities_after_all_other_values() -> None:
    guard = Guard("stand-in", [Value("Zork", "name")], entities=SpacyEntities(Capitals()))
    values = guard.values("we met Halina.\n\nMy name is Maren. Zork!\n\n[withheld]\nwith Orla")
    assert [(value.text, value.level) for value in values] == [
        ("Zork", "stand-in"), ("Maren", "stand-in"), ("Halina", "stand-in"), ("Orla", "withheld"),
    ]  # fmt: skip


@pytest.mark.parametrize("confirmed", ["the marta keller review", "the orange county review"])
def test_the_words_of_a_known_value_do_not_make_a_name_common(confirmed: str) -> None:
    found = find(f"we met Marta Keller; she reads {confirmed}", Value(confirmed, "organisation"))
    assert found == [("Marta Keller", "name")]


@pytest.mark.parametrize("confirmed", ["Annville Works", "Ann Arbor Works", "Dorville Works"])
def test_a_known_value_in_another_record_does_not_change_the_level(confirmed: str) -> None:
    known = [Value(confirmed, "organisation")]
    guard = Guard("stand-in", known, entities=SpacyEntities(Capitals()))
    values = guard.values(f"we met Ann\n\n[withheld]\nmy firm is {confirmed}")
    assert [(value.text, value.level) for value in values[1:]] == [("Ann", "stand-in")]


def test_open_records_and_a_guard_that_is_off_have_no_entities() -> None:
    entities = SpacyEntities(Capitals())
    assert Guard("stand-in", entities=entities).values("[open]\nwe met Zelk") == []
    assert Guard("off", entities=entities).values("we met Zelk") == []


def test_an_entity_does_not_leave() -> None:
    guard = Guard("stand-in", entities=SpacyEntities(Capitals()))
    guarded = guard.prepare([{"role": "user", "content": "Ask Halina"}], "we met Halina Öz")
    assert "Halina" not in guarded.context + guarded.messages[0]["content"]


def test_files_that_are_not_those_of_the_model_are_refused(tmp_path: Path) -> None:
    (tmp_path / "ner").mkdir()
    (tmp_path / "ner" / "model").write_bytes(b"another model")
    with pytest.raises(ModelFileError, match="COSTEER_ENTITY_MODEL=false"):
        load_folder(tmp_path)


@installed
@pytest.mark.slow
def test_the_model_finds_names_that_rules_do_not() -> None:
    found = load_entities().find("I asked Priya Raman before Jens moved to Aveiro.", [])
    assert [(value.text, value.kind) for value in found] == [
        ("Priya Raman", "name"), ("Jens", "name"), ("Aveiro", "place"),
    ]  # fmt: skip


@installed
@pytest.mark.slow
@pytest.mark.parametrize("name", ["Luña", "Rex", "Oluwaseun", "Ng", "Grandville"])
def test_with_the_model_other_confirmed_values_still_give_the_same_wire(name: str) -> None:
    def wire(name: str) -> str:
        guard = Guard("stand-in", [Value(name, "name")], random.Random(1), entities=load_entities())
        context = f"{name} and Halina met Priya Raman. I saw {name}'s dog at the Harbour Clinic."
        return guard.prepare([{"role": "user", "content": f"Ask {name}"}], context).context

    assert wire(name) == wire("Piet")
    assert "Priya" not in wire(name)
