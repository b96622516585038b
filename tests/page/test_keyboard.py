"""By keyboard alone: the focus is never lost, and Esc ends one thing at a time."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser

NARROW = {"viewport": {"width": 320, "height": 640}}


def focused(person: Any) -> Any:
    """What the focus is on: its id, its name or its text."""
    return person.page.evaluate(
        "(({ id, ariaLabel, textContent }) => id || ariaLabel || textContent)"
        "(document.activeElement)"
    )


@pytest.fixture
def profile(person: Any) -> Any:
    """The profile, open."""
    person.page.get_by_role("button", name="Your profile").click()
    person.page.locator(".record").first.wait_for()
    return person.page.locator("#profile")


def test_enter_on_a_word_goes_to_its_first_candidate(person: Any) -> None:
    person.ask()
    person.words().focus()
    person.press("ArrowDown", "Enter")
    assert person.page.evaluate("document.activeElement.matches('.candidate')")


def test_after_another_word_is_chosen_the_focus_is_in_the_box(person: Any) -> None:
    person.ask()
    person.words().focus()
    person.press("ArrowDown")
    person.page.get_by_role("button", name="Say it the cloud").focus()
    person.press("Enter")
    person.page.wait_for_selector(".answer .branches")
    person.finished()
    assert focused(person) == "question"


def test_escape_in_a_record_leaves_the_profile_open(person: Any, profile: Any) -> None:
    profile.get_by_role("button", name="Edit").first.click()
    profile.get_by_label("Text of this record").fill("Something else.")
    person.press("Escape")
    person.count(".record button[aria-label^='Edit']:focus", 1)
    assert profile.is_visible()
    assert profile.locator(".record p").first.text_content() == "I am vegan and I have no car."


def test_a_record_that_is_not_added_yet_stays_written(person: Any, profile: Any) -> None:
    profile.get_by_label("New record").fill("I have begun to write")
    person.press("Escape")
    person.page.get_by_role("button", name="Your profile").click()
    assert profile.get_by_label("New record").input_value() == "I have begun to write"
    assert focused(person) == "New record"
    profile.get_by_label("New record").fill("")


def test_a_switched_record_keeps_the_focus(person: Any, profile: Any) -> None:
    switch = profile.get_by_role("switch").first
    switch.focus()
    name = focused(person)
    for on in (False, True):
        person.press("Space")
        person.count(".record.inactive", 0 if on else 1)
        assert focused(person) == name


def test_a_blank_record_is_not_saved(person: Any, profile: Any) -> None:
    profile.get_by_role("button", name="Edit").first.click()
    profile.get_by_label("Text of this record").fill(" ")
    profile.get_by_role("button", name="Save").click()
    assert focused(person) == "Text of this record"
    assert person.page.locator(".notice").count() == 0


@pytest.mark.parametrize("context", [NARROW], ids=["narrow"], indirect=True)
def test_escape_in_a_title_leaves_the_list_open(person: Any) -> None:
    person.ask("A title?")
    person.page.locator("#menu").click()
    person.page.get_by_role("button", name="Rename A title?").click()
    person.press("Escape")
    assert person.page.locator("#side.shown").count() == 1
    assert focused(person) == "A title?"
    person.press("Escape")
    assert person.page.locator("#side.shown").count() == 0


def test_escape_in_a_question_goes_back_to_its_button(person: Any) -> None:
    person.ask("As it was?")
    person.page.locator(".question").hover()
    person.page.get_by_role("button", name="Edit", exact=True).click()
    person.press("Escape")
    assert focused(person) == "Edit"
