"""Private text for a conversation: the same for the same questions, and growing at its end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costeer.gateway.contexts import of_profile, of_text
from costeer.profile import profiles
from costeer.profile.records import Draft
from tests.support.profiles import FAST, PASSPHRASE

RECORDS = [
    Draft("preference", "I am vegan."),
    Draft("document", "The boat is in the harbour."),
    Draft("document", "The piano is out of tune.\n\nThe tuner comes in May."),
]


@pytest.fixture
def profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("COSTEER_PROFILES", str(tmp_path))
    profiles.create("default", PASSPHRASE, FAST)
    with profiles.open_by_secret("default", PASSPHRASE) as opened:
        opened.records.add_all(RECORDS)
        yield opened


def asked(*questions: Any) -> Any:
    turns = [[("user", question), ("assistant", "The piano!")] for question in questions]
    flat = [one for turn in turns for one in turn][:-1]
    return [{"role": role, "content": content} for role, content in flat]


def test_a_text_is_the_same_for_every_conversation() -> None:
    choose = of_text("I am vegan.")
    assert choose(asked("Hello?")) == choose(asked("Dinner?", "Boat?")) == "I am vegan."


def test_questions_choose_records_and_later_ones_only_append(profile: Any) -> None:
    choose = of_profile(profile)
    first = choose(asked("Where is the boat?"))
    assert first == "I am vegan.\n\nThe boat is in the harbour."
    both = choose(asked("Where is the boat?", "And the piano?"))
    assert both == first + "\n\nThe piano is out of tune.\nThe tuner comes in May."
    assert choose(asked("Where is the boat?")) == first


def test_only_the_persons_own_messages_choose(profile: Any) -> None:
    choose = of_profile(profile)
    assert "piano" not in choose(asked("Hello?", "And now?"))
    system = {"role": "system", "content": "You tune a piano."}
    assert choose([system, *asked("Hello?")]) == choose(asked("Hello?"))


def test_a_text_goes_in_front(profile: Any) -> None:
    assert of_profile(profile, "Born in Oslo.")(asked("Hello?")) == "Born in Oslo.\n\nI am vegan."


def test_what_is_added_to_the_profile_is_read_from_the_next_request_on(profile: Any) -> None:
    choose = of_profile(profile)
    choose(asked("Hello?"))
    profile.records.add(Draft("fact", "I live in Tromsø."))
    assert choose(asked("Hello?")).endswith("I live in Tromsø.")
