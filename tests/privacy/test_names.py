"""Names in everyday sentences: what is found, what is left alone, and on what that may depend."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.privacy.folding import fold
from costeer.privacy.guard import Guard
from costeer.privacy.names import find_names
from costeer.privacy.pools import FIRST, NO_NAMES, given_names, given_names_inside
from costeer.privacy.values import Value

LISTED = ["Owen", "Ada", "Zoë", "Anne", "Grace", "Charlotte", "Priya"]
UNLISTED = st.text("bcdfghjklmnpqrtvwxyzüñø", min_size=2, max_size=9).map(lambda w: f"Zq{w}")
ANY_NAME = st.sampled_from(LISTED) | UNLISTED


def found(text: str) -> list[str]:
    """The names that rules and the list find together."""
    return [value.text for value in Guard("stand-in").values(text) if value.kind == "name"]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("I have two brothers, Owen and Piers.", ["Owen", "Piers"]),
        ("My twins, Ada and Linus, are sixteen.", ["Ada", "Linus"]),
        ("My mother Halina lives with us.", ["Halina"]),
        ("My two rabbits, Flint and Moss, nibble.", ["Flint", "Moss"]),
        ("our neighbours Bert and Xiu", ["Bert", "Xiu"]),
        ("My kids are called Tove, Anders and Quill.", ["Tove", "Anders", "Quill"]),
        ("my ex-wife Svetlana moved out", ["Svetlana"]),
        ("My parrot Gustav talks all day.", ["Gustav"]),
        ("We named him Rex. Rex eats shoes.", ["Rex"]),
        ("I go by Wren.", ["Wren"]),
        ("Nobody uses my first name, Ottoline.", ["Ottoline"]),
        ("Dear Oyelade, thank you.", ["Oyelade"]),
        ("It was late.\nHi Oyelaran and Zinzi!", ["Oyelaran", "Zinzi"]),
        ("Warm regards from the lighthouse,\nEbba", ["Ebba"]),
        ("Come and see. Best, Oyelade", ["Oyelade"]),
        ("Take care,\n\nHenrike", ["Henrike"]),
        ("Tell Priya that I am late.", ["Priya"]),
        ("Priya is late.", ["Priya"]),
        ("It was Priya's idea.", ["Priya"]),
        ("ANNABEL IS LATE", ["ANNABEL"]),
        ("Owen Pritchard is my landlord.", ["Owen Pritchard"]),
        ("Owen's Kotlin project", ["Owen"]),
        ("Jean-Luc van den Berg called.", ["Jean-Luc van den Berg"]),
        ("I saw Siobhan O'Brien there.", ["Siobhan O'Brien"]),
        ("Susan B. Anthony spoke.", ["Susan B. Anthony"]),
        ("Anne-Marie and I are going.", ["Anne-Marie"]),
        ("Zoë is here, and Zoe is not.", ["Zoë", "Zoe"]),
        ("Fatima, Chen and Björn share the flat.", ["Fatima", "Chen", "Björn"]),
        ("Oyelade and Owen came.", ["Oyelade", "Owen"]),
        ("I had lunch with Grace yesterday.", ["Grace"]),
        ("She told Jordan that it rains.", ["Jordan"]),
    ],
)
def test_names_are_found_in_everyday_sentences(text: str, names: list[str]) -> None:
    assert sorted(found(text)) == sorted(names)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "i met owen and ada",
        "I learn Kotlin, Python, Ruby, Java and Swift.",
        "Pascal was used before Delphi and Haskell.",
        "Ahoy! Dear all, the Purchase was a Search.",
        "Dear Sir or Madam, Dear Hiring Manager,\nHello World!",
        "I pay with Venmo, PayPal and Visa at Walmart.",
        "Will you write it? May I ask? Mark the date. Bill me later.",
        "Hope is not a plan. Frank talk. Max 3 items. Grace period.",
        "Drew a picture. Chase the ball. Pat the dog. Sue the firm. Rob a bank.",
        "I will go in May, June or August, or on a Sunday in April.",
        "We flew to Sydney, Dallas and San Diego via Houston.",
        "I moved from London to Paris, and from Florence to Charlotte; our Austin trip was hot.",
        "Virginia is for lovers, and Georgia is warm.",
        "Milan, Lucca and Siena are in Italy.",
        "Rose wine and Jasmine rice. Ginger tea. Basil and Olive oil.",
        "I use Notion, Slack, Jira, Figma and Excel on Windows.",
        "Alexa, play music. Hey Siri, stop. OK Google, go.",
        "Christmas Eve and New Year's Eve are in December.",
        "The Grant Application is due; the Art Gallery is closed.",
        "Saint Mary's Hospital is near King Henry Street and Lake Victoria.",
        "Owen Street, Sylvia Hotel and Anna Inc",
        "I drive a Ford, a Mercedes and a Tesla.",
        "I love wine, Porto.",
        "I read Pride and Prejudice, War and Peace and The Great Gatsby.",
        "My kids are German. My friends are two Americans. My boss, Monday, said no.",
        "My wife and I ski. Her Rescue Dog: Having fun",
        "I want an Apple Watch and a Samsung Galaxy from Amazon.",
        "ADA and AIDA are abbreviations.",
        "See owen@x, #Owen and ./Owen.",
    ],
)
def test_what_is_no_name_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_a_word_behind_a_name_is_no_surname_if_the_text_has_it_in_small_letters() -> None:
    assert found("Owen Updates: these updates are new.") == ["Owen"]
    assert found("Sofia Travel Guide") == []


def test_a_name_that_is_a_word_counts_only_with_a_capital() -> None:
    guard = Guard("stand-in", rng=random.Random(1))
    messages: Any = [{"role": "user", "content": "Tell Will that I will come."}]
    wire = guard.prepare(messages, "I asked my brother Will.").messages[0]["content"]
    assert "Will" not in wire
    assert wire.endswith("that I will come.")


def test_open_records_have_no_names_and_others_have_their_level() -> None:
    values = Guard("stand-in").values("[open]\nwe met Priya\n\n[withheld]\nwe met Halina")
    assert [(value.text, value.level) for value in values] == [("Halina", "withheld")]


@given(st.lists(ANY_NAME, min_size=4, max_size=4, unique_by=lambda name: fold(name).text))
def test_no_known_value_decides_what_else_is_found(names: list[str]) -> None:
    """Not by being on the list, either: its mask counts as a name, whatever it is."""

    def find(first: str, second: str) -> list[Value]:
        known = [Value(first, "name"), Value(f"{second} Works", "organisation")]
        text = (
            f"{first} Quux met Halina and {first.lower()}. Oyelade and {first} saw {first}'s"
            f" Kotlin, {first.upper()} and {second} Works Ilka. In {second} Works, Yusuf, {first}"
            " and Vim."
        )
        return find_names(text, known)

    assert find(*names[:2]) == find(*names[2:])
    assert [value.text for value in find(*names[:2])] == [
        "Quux", "Halina", "Oyelade", "Ilka", "Yusuf", "Vim",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [*LISTED, "Luña", "Oluwaseun", "Ng"])
def test_other_known_values_give_the_same_wire(name: str) -> None:
    def wire(name: str) -> str:
        guard = Guard("stand-in", [Value(name, "name")], random.Random(1))
        context = f"{name} and Halina met {name} Quux.\n\nI saw {name}'s dog and Nadia Raman."
        return guard.prepare([{"role": "user", "content": f"Ask {name}"}], context).context

    assert wire(name) == wire("Piet")
    assert not any(word in wire(name) for word in ("Nadia", "Raman", "Halina", "Quux"))


@pytest.mark.parametrize("confirmed", ["Owen Works", "Zqork Works"])
def test_a_known_value_in_another_record_does_not_change_the_level(confirmed: str) -> None:
    guard = Guard("stand-in", [Value(confirmed, "organisation")])
    values = guard.values(f"we met Owen\n\n[withheld]\nmy firm is {confirmed}")
    assert [(value.text, value.level) for value in values[1:]] == [("Owen", "stand-in")]


@given(st.lists(st.sampled_from([*FIRST, *LISTED]), min_size=1, max_size=6, unique=True))
def test_names_that_are_stand_ins_too_come_back_as_they_were(names: list[str]) -> None:
    context = " and ".join(names) + " came; I met " + ", ".join(names) + "."
    guarded = Guard("stand-in").prepare([{"role": "user", "content": names[0]}], context)
    assert guarded.restorer.feed(guarded.context, final=True) == context


def test_the_lists_are_folded_small_and_hold_no_words_that_answers_need() -> None:
    listed, inside = given_names(), given_names_inside()
    assert all(fold(name).text == name and len(name) > 2 for name in listed | inside)
    assert sum(len(name) + 1 for name in listed) < 120_000
    assert not listed & inside
    assert not (listed | inside) & NO_NAMES
    words = """kotlin python ruby java swift pascal perl rust alexa siri venmo paypal visa mercedes
        tesla london paris berlin rome april june sunday christmas art will may"""
    assert not listed & set(words.split())


@pytest.mark.slow
@pytest.mark.parametrize("filling", ["Anna ", "Anna, ", "Ab and ", "A ", "\ue000", "van ", "Anna-"])
def test_a_long_text_is_read_in_time(filling: str) -> None:
    """None of the patterns takes quadratic time; the limit is that of the test run."""
    text = filling * (20_000 // len(filling)) + "\nTell Priya."
    assert "Priya" in [value.text for value in find_names(text, [])]
