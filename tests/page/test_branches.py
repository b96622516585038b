"""Edited questions, other answers, and the way back; nothing is lost."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser


def texts(person: Any) -> Any:
    return [one["text"] for one in person.conversation()["messages"]]


def test_an_edited_question_is_another_branch(person: Any) -> None:
    person.ask("First version?")
    first = texts(person)
    person.page.locator(".question").hover()
    person.page.get_by_role("button", name="Edit", exact=True).click()
    person.page.get_by_role("textbox", name="Your question").first.fill("Second version?")
    person.page.get_by_role("button", name="Ask again").click()
    person.page.wait_for_selector(".bubble:text-is('Second version?')")
    person.finished()
    assert texts(person)[0] == "Second version?"
    person.page.get_by_role("button", name="Version before").first.click()
    person.page.wait_for_selector(".bubble:text-is('First version?')")
    assert texts(person) == first


def test_escape_leaves_a_question_as_it_was(person: Any) -> None:
    person.ask("As it was?")
    person.page.locator(".question").hover()
    person.page.get_by_role("button", name="Edit", exact=True).click()
    person.page.locator(".edit textarea").fill("Another one")
    person.press("Escape")
    assert person.page.locator(".bubble").text_content() == "As it was?"
    assert texts(person)[0] == "As it was?"


def test_another_answer_to_the_same_question(person: Any) -> None:
    person.ask()
    first = texts(person)
    person.answer().get_by_role("button", name="Write again").click()
    person.finished()
    assert person.answer().locator(".branches").get_attribute("aria-label") == "Version 2 of 2"
    person.page.get_by_role("button", name="Version before").click()
    person.page.wait_for_selector(".branches[aria-label='Version 1 of 2']")
    assert texts(person) == first
    person.words()
    assert person.text() == first[1]


def test_a_second_question_stands_below_the_first_answer(person: Any) -> None:
    person.ask("One?")
    person.ask("Two?")
    shown = person.page.locator("#log > *").evaluate_all("all => all.map(one => one.className)")
    assert shown == ["question", "answer", "question", "answer"]
    assert [text for text in texts(person) if text.endswith("?")] == ["One?", "Two?"]


def test_an_answer_is_copied_as_it_was_written(person: Any) -> None:
    person.ask()
    person.answer().get_by_role("button", name="Copy").click()
    person.page.wait_for_selector(".icon-button.done")
    copied = person.page.evaluate("navigator.clipboard.readText()")
    assert copied == person.conversation()["messages"][1]["text"]


def test_conversations_are_renamed_and_deleted(person: Any) -> None:
    person.ask("A title?")
    page = person.page
    page.locator("#list li").hover()
    page.get_by_role("button", name="Rename A title?").click()
    page.get_by_role("textbox", name="Title").fill("Dinner")
    person.press("Enter")
    page.wait_for_selector("#title:text-is('Dinner')")
    page.locator("#list li").hover()
    page.get_by_role("button", name="Delete Dinner").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_selector("#list p")
    assert person.served("GET", "/conversations")["conversations"] == []
    assert page.locator("#main").get_attribute("data-empty") == "true"


def test_all_conversations_are_forgotten_after_a_yes(person: Any) -> None:
    person.ask("One?")
    for answer, left in (("Cancel", 1), ("Forget all", 0)):
        person.page.get_by_role("button", name="Forget all conversations").click()
        person.page.get_by_role("dialog").get_by_role("button", name=answer).click()
        person.count("#list li", left)
        assert len(person.served("GET", "/conversations")["conversations"]) == left
