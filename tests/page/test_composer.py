"""Before sending: what will be read, what the question gives away, how strong it is."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser


def unfold(person: Any, text: Any) -> Any:
    person.write(text)
    person.page.wait_for_selector(".reads-toggle:has-text('will be read'):not(:has-text('What'))")
    person.page.locator(".reads-toggle").click()
    return person.page.locator("#reads")


def test_the_records_that_will_be_read_are_shown_with_their_reasons(person: Any) -> None:
    shown = unfold(person, "How do I cook chickpea stew?")
    expected = person.served("POST", "/preview", {"text": "How do I cook chickpea stew?"})[
        "records"
    ]
    rows = shown.locator("li label").all_text_contents()
    assert rows == [record["text"] + record["reason"] for record in expected]
    assert any("chickpea" in row for row in rows)


def test_a_record_that_is_unticked_is_not_read(person: Any) -> None:
    shown = unfold(person, "Dinner?")
    shown.get_by_label("I am vegan").uncheck()
    person.page.press("#question", "Enter")
    person.finished()
    read = [record["text"] for record in person.conversation()["records"]]
    assert read and not any("vegan" in text for text in read)


def test_the_slider_says_what_it_means_and_goes_with_the_question(person: Any) -> None:
    slider = person.page.get_by_role("slider", name="Strength")
    slider.focus()
    person.press("Home")
    assert slider.get_attribute("aria-valuetext").startswith("off")
    person.ask()
    assert person.conversation()["messages"][1]["strength"] == "off"
    assert not any(token["changed"] for token in person.conversation()["messages"][1]["tokens"])


def test_with_the_strength_off_nothing_is_read_and_the_page_says_so(person: Any) -> None:
    unfold(person, "Dinner?")
    slider = person.page.get_by_role("slider", name="Strength")
    slider.focus()
    person.press("Home")
    assert person.page.locator(".reads-toggle").text_content() == "Nothing will be read"
    person.press("End")
    assert person.page.locator(".reads-toggle").text_content() == "2 records will be read"


def test_the_slider_takes_effect_in_the_answer_that_is_being_written(person: Any) -> None:
    person.write("Something long?")
    slider = person.page.get_by_role("slider", name="Strength")
    slider.focus()
    person.press("End")
    with person.served.model.held_at(20):
        person.page.press("#question", "Enter")
        person.page.wait_for_selector(".word")
        slider.focus()
        with person.page.expect_response("**/strength"):
            person.press("Home")
    person.finished()
    strengths = [one["strength"] for one in person.conversation()["messages"][1]["tokens"]]
    assert strengths[0] == "strong"
    assert strengths[-1] == "off"
    assert strengths == sorted(strengths, reverse=True)


def test_shift_enter_makes_a_line_and_blank_is_not_sent(person: Any) -> None:
    person.page.locator("#question").focus()
    person.press("Enter", "Shift+Enter")
    assert person.page.input_value("#question") == "\n"
    assert person.page.get_by_role("button", name="Send").is_disabled()
    assert person.served("GET", "/conversations")["conversations"] == []


def test_a_double_click_sends_and_does_not_stop(person: Any) -> None:
    person.write("Twice?")
    held = person.served.model.held_at(20)
    with held:
        send = person.page.locator("button.send")
        send.click()
        person.page.wait_for_selector(".word")
        send.evaluate(
            "one => one.dispatchEvent(new MouseEvent('click', "
            "{ bubbles: true, cancelable: true, detail: 2 }))"
        )
    person.finished()
    assert [path for _, path in person.watch.requests if path.endswith("/stop")] == []


def test_a_record_that_is_sent_is_said_to_be(person: Any) -> None:
    body = {"kind": "preference", "text": "Answer in Spanish.", "sent": True}
    number = person.served("POST", "/records", body)["id"]
    try:
        shown = unfold(person, "Dinner?")
        said = shown.locator("p").first
        assert "The one that you marked is sent, the others are not." in said.text_content()
        person.page.locator("#strength").fill("0")
        assert said.text_content() == (
            "The strength is off: nothing is read. The one that you marked is still sent."
        )
    finally:
        person.served("DELETE", f"/records/{number}")
