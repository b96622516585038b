"""What the rules find, and what they must leave alone."""

from random import Random
from typing import Any

import pytest

from costeer.privacy.detect import detect
from costeer.privacy.guard import Guard


def found(text: Any, **options: Any) -> Any:
    return [(value.text, value.kind) for value in detect(text, **options)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name: Maren Okafor", ("Maren Okafor", "name")),
        ("- **Full name**: Maren Okafor.", ("Maren Okafor", "name")),
        ("City: Porto", ("Porto", "place")),
        ("Employer: Acme & Sons", ("Acme & Sons", "organisation")),
        ("My name is Maren Okafor and I sail.", ("Maren Okafor", "name")),
        ("I'm Maren Okafor.", ("Maren Okafor", "name")),
        ("My sister Ilka visits on Sundays.", ("Ilka", "name")),
        ("my dog is called Biscuit", ("Biscuit", "name")),
        ("My old friend João da Silva writes.", ("João da Silva", "name")),
        ("I live in Vila Nova.", ("Vila Nova", "place")),
        ("I work as a nurse at Saint Jude.", ("Saint Jude", "organisation")),
        ("Dr. Ugwu is kind.", ("Dr. Ugwu", "name")),
        ("Write to maren@okafor.net, please.", ("maren@okafor.net", "e-mail")),
        ("See https://okafor.net/me?x=1.", ("https://okafor.net/me?x=1", "link")),
        ("I am @maren_o there.", ("@maren_o", "handle")),
        ("Call +351 912 345 678 at night.", ("+351 912 345 678", "phone")),
        ("Call (202) 456-1111.", ("202) 456-1111", "phone")),
        ("My IBAN is DE89 3704 0044 0532 0130 00.", ("DE89 3704 0044 0532 0130 00", "account")),
        ("Card 4111 1111 1111 1111.", ("4111 1111 1111 1111", "account")),
        ("SSN 078-05-1120", ("078-05-1120", "account")),
        ("I moved to 14 Quay Lane.", ("14 Quay Lane", "address")),
        ("Ich wohne Hauptstraße 12b.", ("Hauptstraße 12b", "address")),
        ("Rua da Prata 80", ("Rua da Prata 80", "address")),
        ("She lives at 14 Rua das Flores.", ("14 Rua das Flores", "address")),
        ("12 rue de la Paix", ("12 rue de la Paix", "address")),
        ("I was born on 12 March 1987.", ("12 March 1987", "date")),
        ("Date of birth: 1987-03-12", ("1987-03-12", "date")),
    ],
)
def test_a_value_is_found_with_its_kind(text: Any, expected: Any) -> None:
    assert expected in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I like tea, long walks and The Beatles.",
        "Note: buy milk",
        "We met on 12 March 2020 about version 3.11.",
        "4111 1111 1111 1112 fails its check digit",
        "DE00 3704 0044 0532 0130 00 does, too",
        "My wife and I ski. My name is a secret.",
        "At 10:30, 200 people came.",
    ],
)
def test_what_is_no_value_is_left_alone(text: Any) -> None:
    assert found(text) == []


def test_each_value_comes_once_in_the_order_of_the_text() -> None:
    text = "Name: Maren Okafor\nCity: Porto, Braga\nMy name is Maren Okafor. I live in PORTO."
    assert [value for value, _ in found(text)] == ["Maren Okafor", "Porto", "Braga"]


def test_a_name_that_is_a_city_too_counts_as_the_name() -> None:
    for text in ("City: Florence\nName: Florence", "Name: Florence\nCity: Florence"):
        assert found(text) == [("Florence", "name")]


@pytest.mark.parametrize(
    "text",
    ["my friend (Zandro) came", "it is **Zandro** again", "met “Zandro” and", "a Kex/Zandro thing",
     "so\tZandro said"],
)  # fmt: skip
def test_strict_takes_a_capital_behind_any_mark(text: str) -> None:
    assert "Zandro" in " ".join(value.text for value in detect(text, strict=True))


@pytest.mark.parametrize("text", ["I own 1,250 of it.", "I weigh 105kg.", "See No.1250 there."])
def test_strict_takes_numbers_with_whatever_is_written_to_them(text: str) -> None:
    wire = Guard("strict", rng=Random(1)).prepare([{"role": "user", "content": "Hi"}], text)
    assert not any(number in wire.context for number in ("1,250", "105", "1250"))


def test_strict_also_takes_dates_numbers_and_capitalised_words() -> None:
    text = "Yesterday, on 3 May 2020, I paid 1,250.00 to Zorblax Limited near Quux."
    assert found(text) == []
    assert found(text, strict=True) == [
        ("3 May 2020", "date"),
        ("1,250.00", "number"),
        ("Zorblax Limited", "name"),
        ("Quux", "name"),
    ]


def test_windows_line_ends_do_no_harm() -> None:
    assert found("Name: Maren Okafor\r\nCity: Porto\r\n") == [
        ("Maren Okafor", "name"),
        ("Porto", "place"),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("filling", ["a", "A", "1", " ", "A ", "1.", "@", "van ", "a.", "-", "a:"])
def test_a_long_text_is_read_in_time(filling: Any) -> None:
    """None of the patterns takes quadratic time; the limit is that of the test run."""
    text = filling * (10_000 // len(filling)) + "\nMy name is Maren Okafor."
    assert "Maren Okafor" in [value.text for value in detect(text, strict=True)]
