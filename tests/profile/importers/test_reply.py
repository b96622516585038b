"""The sender's own words: a table of what mail programs write around them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.profile.importers.reply import own_words

QUOTE = "> See you there?\n> Tom"


@pytest.mark.parametrize(
    ("body", "own"),
    [
        (f"Yes!\n\nOn Mon, 3 Mar 2025 at 10:00, Tom <t@x.org> wrote:\n{QUOTE}", "Yes!"),
        (f"Yes!\n\nOn Mon, 3 Mar 2025 at 10:00, Tom\n<t@x.org> wrote:\n\n{QUOTE}", "Yes!"),
        (f"Ja!\n\nAm 03.03.25 um 10:00 schrieb Tom:\n{QUOTE}", "Ja!"),
        (f"Oui\n\nLe lun. 3 mars 2025 à 10:00, Tom <t@x.org> a écrit :\n{QUOTE}", "Oui"),
        (f"Sí\n\nEl lun, 3 mar 2025 a las 10:00, Tom (<t@x.org>) escribió:\n{QUOTE}", "Sí"),
        (f"Ok\n\nIl giorno lun 3 mar 2025 alle ore 10:00 Tom <t@x.org> ha scritto:\n{QUOTE}", "Ok"),
        (f"Tom <t@x.org> writes:\n{QUOTE}\nI agree.\n> more\nNot here.", "I agree.\nNot here."),
        ("Yes!\r\n-- \r\nAnna\r\n+49 123", "Yes!"),
        ("Yes!\n--\nAnna", "Yes!"),
        ("Yes!\n\nSent from my iPhone", "Yes!"),
        ("Ja!\n\nVon meinem iPhone gesendet\n", "Ja!"),
        ("Yes!\n\n-----Original Message-----\nFrom: Tom\n\nold", "Yes!"),
        ("Yes!\n\nFrom: Tom <t@x.org>\nSent: Monday\nTo: Anna\nSubject: Hi\n\nold", "Yes!"),
        ("Ja!\n\nVon: Tom\nGesendet: Montag\nAn: Anna\nBetreff: Hallo\n\nalt", "Ja!"),
        ("See below.\n\n---------- Forwarded message ---------\nFrom: Tom\n\nold", "See below."),
        ("Yes!\n\nOn 3 Mar 2025, Tom <t@x.org> wrote:\n\nold text without marks", "Yes!"),
        # What only looks like one of these stays.
        ("Please bring:\n- bread\n- wine\n\nThanks!", "Please bring:\n- bread\n- wine\n\nThanks!"),
        ("On 3 March I wrote to him.", "On 3 March I wrote to him."),
        ("From: London\nwith love", "From: London\nwith love"),
        ("a\n\n\n\nb", "a\n\nb"),
        ("", ""),
        (QUOTE, ""),
        (" > indented\nYes!", "Yes!"),
    ],
)
def test_own_words(body: Any, own: Any) -> None:
    assert own_words(body) == own


@given(st.text("On <@>:\n- wrote123From", max_size=200))
def test_every_line_that_is_kept_was_there(body: Any) -> None:
    kept = own_words(body)
    assert {line.rstrip() for line in kept.split("\n")} <= {
        *(line.strip() for line in body.split("\n")),
        *(line.rstrip() for line in body.split("\n")),
        "",
    }
    assert not any(line.startswith(">") for line in kept.split("\n"))


@pytest.mark.slow
@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "On ",
        "On Mon, ",
        "a@b <",
        "> ",
        "_",
        "-",
        "From: a\n",
        "On 3 <a@b>\n",
        "wrote: ",
        "Am 3\n",
    ],
)
def test_no_text_takes_long(text: Any) -> None:
    own_words(text * (60_000 // len(text)))


@pytest.mark.slow
def test_many_lines_that_look_like_attributions() -> None:
    assert own_words("On 3, Tom <t@x> wrote:\n> x\n" * 5_000) == ""
