"""What models read of a request."""

import random
import sys
import threading
from typing import Any

import pytest

from costeer.exceptions import GuardError, ParameterError
from costeer.privacy.guard import REMEMBERED, Guard, checked_guard
from costeer.privacy.values import Value

CONTEXT = (
    "Name: Maren Okafor\r\nI met Zork in 1999.\r\n\r\n[withheld]\nMy doctor is Dr. Ugwu.\n\n"
    "[open]\nCity: Porto"
)
REAL = ("Maren", "Okafor", "Ugwu", "doctor")


def ask(text: Any, **more: Any) -> Any:
    return [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text, **more}]


def guard(mode: Any = "stand-in", *values: Any) -> Any:
    return Guard(mode, values, random.Random(1))


def everything(guarded: Any) -> Any:
    said = [message["content"] for message in guarded.messages]
    return "\n".join([*said, guarded.context, *guarded.stop])


def test_no_guarded_value_is_left_and_open_ones_are() -> None:
    guarded = guard().prepare(ask("I, Maren, live in Porto. Is Ugwu good?"), CONTEXT, ["Okafor:"])
    text = everything(guarded)
    assert not any(real in text for real in REAL)
    assert text.count("Porto") == 2
    assert "1999" in text and "Zork" in text
    assert "…" in text
    assert guarded.restorer.feed(guarded.messages[1]["content"], final=True).startswith("I, Maren,")
    assert guarded.note.startswith("Stand-ins go up for 2 values of yours (name)")


@pytest.mark.parametrize(
    "context",
    [
        "My name is Jose\u0301 Garci\u0301a.",
        "My name is Jo\u00adsé Gar\u200bcía.",
        "My name is\u00a0José\u00a0García.",
        "As you may know from the letters I wrote, my name is José\nGarcía, and I like tea.",
    ],
    ids=["decomposed", "invisible", "no-break", "broken line"],
)
def test_a_name_is_found_however_its_characters_are_stored(context: str) -> None:
    text = everything(guard().prepare(ask("Who is García?"), context))
    assert "García" not in text and "Garci" not in text and "cía" not in text


PLACES = "I live in Porto.\n\n[stand-in]\nCity: Braga\n\nName: Maren"


def test_a_city_stays_open_unless_its_record_or_the_list_says_otherwise() -> None:
    text = everything(guard().prepare(ask("Porto or Braga?"), PLACES))
    assert "Porto" in text
    assert not any(word in text for word in ("Braga", "Maren"))
    listed = guard("stand-in", Value("Porto", "place")).prepare(ask("Porto?"), PLACES)
    assert "Porto" not in everything(listed)


def test_what_stays_open_leads_to_no_note() -> None:
    assert guard().prepare(ask("Where in Porto?"), "I live in Porto.").note == ""


def test_strict_takes_more_and_knows_no_open_values() -> None:
    guarded = guard("strict", Value("Braga", "place", "open")).prepare(ask("Braga?"), CONTEXT)
    text = everything(guarded)
    assert not any(word in text for word in ("Porto", "1999", "Zork", "Braga", *REAL))


def test_off_sends_what_it_is_given_and_says_so() -> None:
    messages = ask("I am Maren.")
    guarded = guard("off").prepare(messages, CONTEXT)
    assert guarded.messages == messages
    assert "Maren Okafor" in guarded.context
    assert "Ugwu" not in guarded.context  # withheld is withheld from every model
    assert "--guard stand-in" in guarded.note
    assert not guard("off").on


def test_confirmed_values_and_levels_win_over_the_rules() -> None:
    confirmed = Value("Zork", "name"), Value("Maren Okafor", "name", "open")
    text = everything(guard("stand-in", *confirmed).prepare(ask("Zork?"), CONTEXT))
    assert "Zork" not in text
    assert "Maren Okafor" in text


def test_what_was_found_once_is_guarded_in_later_requests_without_that_context() -> None:
    ours = guard()
    ours.prepare(ask("Hello"), CONTEXT)
    text = everything(ours.prepare(ask("Dear Ada, ... Yours, Maren Okafor"), "I like tea."))
    assert "Maren" not in text and "Okafor" not in text
    assert "Ada" in text
    warning = guard("off")
    warning.values(CONTEXT)
    assert "--guard stand-in" in warning.prepare(ask("Yours, Maren"), "").note


@pytest.mark.slow
def test_the_oldest_values_of_contexts_are_forgotten() -> None:
    ours = guard()
    ours.values("\n\n".join(f"Email: me{number}@x.net" for number in range(REMEMBERED + 1)))
    text = everything(ours.prepare(ask("me0@x.net and me1@x.net"), ""))
    assert "me0@x.net" in text and "me1@x.net" not in text


def test_without_values_nothing_is_changed() -> None:
    guarded = guard().prepare(ask("What is 2 + 2?"), "I like tea.")
    assert guarded.messages == ask("What is 2 + 2?")
    assert (guarded.context, guarded.note) == ("I like tea.", "")


def test_the_next_turn_sends_the_last_answer_as_it_was_written() -> None:
    ours, shown = guard(), ask("Write to Maren.")
    first = ours.prepare(shown, CONTEXT)
    alias = first.messages[1]["content"][len("Write to ") : -1]
    ours.keep(shown, first, "Dear Maren, hello", f"Dear {alias}, hello")
    more = [*shown, {"role": "assistant", "content": "Dear Maren, hello"}, *ask("To Maren.")[1:]]
    second = ours.prepare(more, CONTEXT)
    assert second.messages[2]["content"] == f"Dear {alias}, hello"
    assert second.messages[3]["content"] == f"To {alias}."


def test_the_persons_list_counts_without_a_context_too() -> None:
    guarded = guard("stand-in", Value("Zork", "name")).prepare(ask("Zork?"), "")
    assert "Zork" not in everything(guarded)


@pytest.mark.slow
def test_values_that_cannot_be_replaced_are_refused() -> None:
    digits = (chr(code) for code in range(0x660, 0x1A00) if chr(code).isdigit())
    with pytest.raises(GuardError):
        guard("stand-in", *(Value(digit, "number") for digit in digits)).prepare(ask("Hi"), "")


def test_there_are_three_modes() -> None:
    assert checked_guard("strict") == "strict"
    for name in ("none", ""):
        with pytest.raises(ParameterError, match="no guard"):
            Guard(name)


@pytest.mark.slow
def test_answers_at_the_same_time_do_not_take_each_others_values() -> None:
    """A gateway writes several, each with a context of its own."""
    ours, left = guard(), []

    def prepare(name: str) -> None:
        for turn in range(150):
            context = f"My name is {name}. I had {turn} cups of tea."
            if name in ours.prepare(ask("Who am I?"), context).context:
                left.append(name)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=prepare, args=(one,)) for one in ("Zork", "Maren")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(before)
    assert not left
