"""What fails is said where it failed, and can be tried again."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser

BUSY = {"error": {"message": "The queue is full. Try again later.", "type": "rate_limit_error"}}
BEGIN = {"type": "begin", "answer": "page_1", "question": 1}


def stream(*events: Any) -> Any:
    """A stream of events that ends."""
    lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
    return {"status": 200, "content_type": "text/event-stream", "body": lines}


CASES = {
    "refused": ({"status": 429, "json": BUSY}, "The queue is full. Try again later."),
    "broken off": (stream(), "The answer broke off."),
    "failed": (stream({"type": "error", **BUSY}), "The queue is full. Try again later."),
    "empty": (
        stream(BEGIN, {"type": "end", "message": None, "html": "", "finish_reason": "stop"}),
        "Nothing was written.",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_question_that_failed_is_tried_again(person: Any, case: Any) -> None:
    response, message = CASES[case]
    person.page.route("**/ask", lambda route: route.fulfill(**response), times=1)
    person.write("Will it work?")
    person.page.press("#question", "Enter")
    problem = person.page.locator(".problem")
    problem.wait_for()
    assert problem.text_content() == message
    person.page.get_by_role("button", name="Try again").click()
    person.finished()
    texts = [one["text"] for one in person.conversation()["messages"]]
    assert texts[0] == "Will it work?"
    assert len(texts) == 2
    person.count(".question", 1)
    if case == "refused":
        person.watch.expected("console")  # the browser reports the status


def test_a_warning_about_an_answer_is_announced_with_it(person: Any) -> None:
    warning = {"type": "warning", "text": "Do not trust this server."}
    end = {"type": "end", "message": None, "html": "", "finish_reason": "stop"}
    body = stream(BEGIN, warning, end)
    person.page.route("**/ask", lambda route: route.fulfill(**body), times=1)
    person.write("Who are you?")
    person.page.press("#question", "Enter")
    alert = person.page.locator(".answer").get_by_role("alert")
    alert.wait_for()
    assert alert.text_content() == warning["text"]


def test_a_gateway_that_has_gone_is_named(person: Any) -> None:
    person.page.route("**/app/conversations", lambda route: route.abort())
    person.write("Are you there?")
    person.page.press("#question", "Enter")
    notice = person.page.get_by_role("alert")
    notice.locator("p").wait_for()
    assert "does not answer" in notice.text_content()
    assert person.page.input_value("#question") == "Are you there?"
    person.watch.expected("console")


def test_a_session_that_ended_says_how_to_begin_another(person: Any) -> None:
    person.page.evaluate("sessionStorage.setItem('costeer.token', 'old')")
    person.page.get_by_role("button", name="Your profile").click()
    person.page.wait_for_selector("#gate:not([hidden])")
    person.watch.expected("console")


def test_a_gateway_that_dies_while_it_answers_is_named_in_words(person: Any) -> None:
    cut = """async () => {
      const { events } = await import("/static/stream.js");
      const broken = new ReadableStream({ start: (to) => to.error(TypeError("cut")) });
      window.fetch = async () => new Response(broken);
      try { for await (const _ of events("/ask", {})); } catch (error) { return error.message; }
    }"""
    assert person.page.evaluate(cut) == (
        "The answer broke off. Is the gateway on this device still running?"
    )


def test_a_question_that_was_refused_can_be_changed(person: Any) -> None:
    person.page.route("**/ask", lambda route: route.fulfill(status=429, json=BUSY), times=1)
    person.write("Too long?")
    person.page.press("#question", "Enter")
    person.page.locator(".problem").wait_for()
    person.page.locator(".question").hover()
    person.page.get_by_role("button", name="Edit", exact=True).click()
    person.page.locator(".edit textarea").fill("Short?")
    person.page.get_by_role("button", name="Ask again").click()
    person.finished()
    assert person.conversation()["messages"][0]["text"] == "Short?"
    person.count(".question", 1)
    person.watch.expected("console")  # the browser reports the status


def test_an_error_is_told_in_the_dialog_that_is_open(person: Any) -> None:
    person.page.get_by_role("button", name="Your profile").click()
    rows = person.page.locator(".record")
    rows.nth(1).get_by_role("button", name="Edit").click()
    person.page.get_by_label("Text of this record").fill("I am vegan and I have no car.")
    person.page.get_by_label("Kind of this record").select_option("preference")
    person.page.get_by_role("button", name="Save").click()
    notice = person.page.locator("#profile").get_by_role("alert")
    notice.get_by_text("the same content").wait_for()
    notice.get_by_role("button", name="Close").click()
    person.count(".notice", 0)
    person.watch.expected("console")  # the browser reports the status


def test_an_answer_that_was_stopped_says_so_also_later(person: Any) -> None:
    person.ask_and_stop()
    for _ in range(2):
        notes = person.page.locator(".note")
        notes.wait_for()
        assert notes.all_text_contents() == ["The answer was stopped here."]
        person.page.reload()
