"""Before sending: values that the guard finds are asked about, by mouse, keys and ear."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser

QUESTION = "Please greet Maren Okafor from me."


def ask(person: Any, text: Any = QUESTION) -> Any:
    """Send a question; the dialog that opens."""
    person.write(text)
    person.page.press("#question", "Enter")
    dialog = person.page.get_by_role("dialog", name="Before sending")
    dialog.wait_for()
    return dialog


def sent(person: Any) -> Any:
    """What the last answer's requests say."""
    answer = person.conversation()["messages"][-1]["id"]
    found = person.served("GET", f"/messages/{answer}/ledger")["departures"]
    return "".join(one["text"] or "" for one in found)


def test_a_value_in_the_question_is_shown_while_it_is_written(person: Any) -> None:
    person.write(QUESTION)
    warning = person.page.locator(".warning[role=status]")
    warning.wait_for()
    assert "“Maren Okafor” (name)" in warning.text_content()
    person.write("Please greet Porto.")  # a city is open
    warning.wait_for(state="hidden")


@pytest.mark.parametrize(
    ("name", "guard"), [("Send a stand-in instead", "stand-in"), ("Send as it is", "off")]
)
def test_what_is_chosen_is_what_goes_up(person: Any, name: Any, guard: Any) -> None:
    dialog = ask(person)
    assert dialog.get_by_role("listitem").all_text_contents() == ["“Maren Okafor” (name)"]
    dialog.get_by_role("button", name=name).click()
    person.finished()
    question, answer = person.conversation()["messages"]
    assert (question["text"], answer["guard"]) == (QUESTION, guard)
    assert ("Maren" in sent(person)) == (guard == "off")
    assert person.answer().locator(".guarded").count() == (guard == "stand-in")
    person.page.reload()
    person.page.locator(".summary").wait_for()
    assert person.answer().locator(".guarded").count() == (guard == "stand-in")


@pytest.mark.parametrize("way", ["Cancel", "Escape"])
def test_where_nothing_is_to_be_sent_the_question_is_back_in_the_box(person: Any, way: Any) -> None:
    dialog = ask(person)
    if way == "Escape":
        person.press("Escape")
    else:
        dialog.get_by_role("button", name=way).click()
    dialog.wait_for(state="hidden")
    person.page.wait_for_selector("#log[aria-busy='false']")
    assert person.page.input_value("#question") == QUESTION
    assert person.page.evaluate("document.activeElement.id") == "question"
    assert person.served("GET", "/conversations")["conversations"] == []
    assert not [path for _, path in person.watch.requests if path.endswith("/ask")]


def test_by_keys_enter_sends_a_stand_in_and_tab_stays_inside(person: Any) -> None:
    dialog = ask(person)
    focused = "document.activeElement.textContent"
    assert person.page.evaluate(focused) == "Send a stand-in instead"
    person.press("Shift+Tab")
    assert person.page.evaluate(focused) == "Send as it is"
    person.press("Shift+Tab")
    assert person.page.evaluate(focused) == "Cancel"
    person.press("Tab", "Tab", "Enter")
    dialog.wait_for(state="hidden")
    person.finished()
    assert "Maren" not in sent(person)


def test_the_dialog_is_read_out_with_its_values(person: Any) -> None:
    dialog = ask(person)
    described = dialog.get_attribute("aria-describedby")
    text = person.page.locator(f"#{described}").text_content()
    assert "Your question contains:“Maren Okafor” (name)" in text


def test_stand_ins_hold_in_the_rest_of_the_conversation(person: Any) -> None:
    ask(person)
    person.press("Enter")
    person.finished()
    person.ask("And greet Okafor once more.")
    assert "Okafor" not in sent(person)
    person.answer().get_by_role("button", name="Compare with the cloud alone").click()
    person.page.wait_for_selector(".other[aria-busy='false']")


def test_as_it_is_is_asked_once_for_each_value(person: Any) -> None:
    ask(person).get_by_role("button", name="Send as it is").click()
    person.finished()
    person.ask("And greet Okafor once more.")
    dialog = ask(person, "And my dog Biscuit.")
    assert "Your question contains:“Biscuit” (name)" in dialog.text_content()
    assert "Earlier messages contain:“Maren Okafor” (name)" in dialog.text_content()


def test_an_edit_that_is_cancelled_stays_open(person: Any) -> None:
    person.ask("Dinner?")
    question = person.page.locator(".question")
    question.hover()
    question.get_by_role("button", name="Edit").click()
    question.locator("textarea").fill(QUESTION)
    question.get_by_role("button", name="Ask again").click()
    person.page.get_by_role("dialog", name="Before sending").wait_for()
    person.press("Escape")
    assert question.locator("textarea").input_value() == QUESTION
    assert len(person.conversation()["messages"]) == 2
