from typing import Any

import pytest

from costeer.privacy.forms import name_forms, name_words, value_forms
from costeer.privacy.values import Value

WIRE = {
    "Maren": "Alex",
    "Okafor": "Brandt",
    "Berg": "Holm",
    "Will": "Odd",
    "Smith": "Lund",
    "Anna-Lena": "Kim",
    "Anna": "Ash",
    "Lena": "Bo",
    "Müller": "Voss",
    "O\u2019Brien": "Quist",
}


def forms(name: Any) -> Any:
    return {form.real: form.wire for form in name_forms(name, WIRE.__getitem__)}


@pytest.mark.parametrize(
    ("real", "wire"),
    [
        ("Maren Okafor", "Alex Brandt"),
        ("Maren", "Alex"),
        ("Okafor", "Brandt"),
        ("Okafor, Maren", "Brandt, Alex"),
        ("M. Okafor", "A. Brandt"),
        ("Maren O.", "Alex B."),
        ("mokafor", "abrandt"),
        ("maren.okafor", "alex.brandt"),
        ("marenokafor", "alexbrandt"),
    ],
)
def test_every_way_to_write_a_name_has_its_own_stand_in(real: Any, wire: Any) -> None:
    assert forms("Maren Okafor")[real] == wire


def test_titles_initials_and_particles_are_not_words_of_a_name() -> None:
    assert name_words("Dr. Maren J. van der Berg") == ["Maren", "Berg"]
    assert name_words("van der") == ["van", "der"]  # something has to stand for it
    assert forms("Maren van der Berg")["van der Berg"] == "Holm"


def test_a_word_of_the_language_needs_a_capital_when_it_stands_alone() -> None:
    capital = {form.real: form.capital for form in name_forms("Will Smith", WIRE.__getitem__)}
    assert capital["Will"]
    assert not capital["Will Smith"]


def test_an_initial_before_such_a_name_needs_a_capital_as_well() -> None:
    """Anna Young is not "a young man", and Sam Hall is not what one "shall" do."""
    capital = {form.real: form.capital for form in name_forms("Anna Young", lambda word: "X")}
    assert capital["A Young"]
    hall = {form.real for form in name_forms("Sam Hall", lambda word: "X")}
    assert "shall" not in hall
    assert hall >= {"@shall", "shall@", "/shall"}


@pytest.mark.parametrize(
    ("name", "real", "wire"),
    [
        ("Anna-Lena Müller", "Anna-Lena", "Kim"),
        ("Anna-Lena Müller", "Lena", "Bo"),
        ("Anna-Lena Müller", "Mueller", "Voss"),
        ("Maren O\u2019Brien", "OBrien", "Quist"),
        ("Maren Okafor Berg", "M. Okafor", "A. Brandt"),
        ("Maren Okafor Berg", "Maren O.", "Alex B."),
        ("Okafor, Maren", "M. Okafor", "A. Brandt"),
        ("Okafor, Maren", "Okafor, Maren", "Brandt, Alex"),
    ],
)
def test_the_parts_of_longer_names_and_other_spellings_are_found(
    name: str, real: str, wire: str
) -> None:
    assert forms(name)[real] == wire


def test_a_telephone_number_is_found_however_it_is_dialled() -> None:
    reals = {form.real for form in value_forms(Value("+351 912 345 678", "phone"), "X")}
    assert reals >= {"+351 912 345 678", "00351912345678", "912345678"}
    assert all(form.separated for form in value_forms(Value("12 34", "number"), "X"))
