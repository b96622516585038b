"""The stand-ins of a conversation: there and back again, and failing closed."""

import random
from typing import Any

import pytest

from costeer.exceptions import GuardError
from costeer.privacy import pools
from costeer.privacy.stand_ins import StandIns
from costeer.privacy.values import Value

NAME, PLACE = Value("Maren Okafor", "name"), Value("Porto", "place")
ILL = Value("sarcoidosis", "other", "withheld")
TEXT = "I am Maren Okafor (M. Okafor) of Porto. MAREN's number is 351. Okafors everywhere."


def stand_ins(*values: Any, texts: Any = (TEXT,), seed: Any = 1) -> Any:
    made = StandIns(random.Random(seed))
    made.admit(values, texts)
    return made


def test_nothing_of_a_value_is_left_and_the_display_has_all_of_it_back() -> None:
    made = stand_ins(NAME, PLACE)
    wire = made.to_wire(TEXT)
    assert not any(part in wire.lower() for part in ("maren", "okafor", "porto"))
    assert made.restorer().feed(wire, final=True) == TEXT


def test_other_values_are_rewritten_to_the_same_text() -> None:
    other = TEXT
    for real, new in [("Maren", "Ilka"), ("MAREN", "ILKA"), ("M.", "I."), ("Okafor", "Tanaka"),
                      ("Porto", "Quito")]:  # fmt: skip
        other = other.replace(real, new)
    wire = stand_ins(NAME, PLACE).to_wire(TEXT)
    others = stand_ins(Value("Ilka Tanaka", "name"), Value("Quito", "place"), texts=[other])
    assert others.to_wire(other) == wire


def test_withheld_values_leave_no_trace_and_are_not_restored() -> None:
    made = stand_ins(ILL, texts=["I have sarcoidosis."])
    assert made.to_wire("I have sarcoidosis.") == "I have …."
    assert made.restorer().feed("I have …", final=True) == "I have …"


def test_open_values_stay() -> None:
    made = stand_ins(Value("Porto", "place", "open"))
    assert not made.active
    assert made.to_wire("Porto") == "Porto"


def test_a_family_shares_a_stand_in() -> None:
    made = stand_ins(NAME, Value("Ada Okafor", "name"))
    family = made.to_wire("Maren Okafor and Ada Okafor").split()
    assert family[1] == family[4]
    assert family[0] != family[3]


def test_a_stand_in_is_never_a_word_of_the_text_itself() -> None:
    taken = pools.FIRST[1:]
    for seed in range(10):
        made = stand_ins(Value("Maren", "name"), texts=["Maren met " + ", ".join(taken)], seed=seed)
        assert made.to_wire("Maren") not in taken


@pytest.mark.parametrize(
    "values",
    [
        [Value("Rose Berg", "name"), Value("rose", "other")],
        [Value("rose", "name"), Value("Rose", "name")],
    ],
)
def test_a_word_of_the_list_in_small_letters_counts_beside_the_same_name(values: Any) -> None:
    assert "rose" not in stand_ins(*values).to_wire("a rose is a Rose").lower()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Value("maren@okafor.net", "e-mail"), "Give me an example."),
        (Value("https://okafor.net", "link"), "Read https://w3.org"),
    ],
)
def test_words_that_all_stand_ins_of_a_kind_have_may_stand_in_a_text(
    value: Value, text: str
) -> None:
    assert stand_ins(value, texts=[text]).to_wire(text) == text


def test_what_the_person_writes_that_is_a_stand_in_gets_one_of_its_own() -> None:
    made = stand_ins(NAME)
    alias = made.to_wire("Maren Okafor")
    said = f"Tell Maren Okafor about {alias}."
    made.give_way([said])
    wire = made.to_wire(said)
    assert wire.split("about ")[1] != f"{alias}."
    assert made.restorer().feed(wire, final=True) == said


@pytest.mark.slow
def test_more_values_than_stand_ins_are_refused() -> None:
    digits = [chr(code) for code in range(0x660, 0x1A00) if chr(code).isdigit()]
    many = [Value(digit, "number") for digit in digits]  # of one digit each, there are few
    with pytest.raises(GuardError, match="more values"):
        stand_ins(*many, texts=[""])


def test_stand_ins_are_new_for_each_conversation() -> None:
    drawn = set()
    for _ in range(20):
        made = StandIns()
        made.admit([NAME], [TEXT])
        drawn.add(made.to_wire("Maren Okafor"))
    assert len(drawn) > 10
