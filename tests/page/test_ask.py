"""A question and its answer: streamed, finished, kept, announced once."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser

ANNOUNCEMENTS = """() => {
  window.announced = [];
  const log = document.getElementById("log");
  const region = (node) => node.closest?.("[aria-live]");
  new MutationObserver((changes) => {
    for (const change of changes)
      for (const node of change.addedNodes) {
        const element = node.nodeType === 1 ? node : node.parentElement;
        const live = region(element);
        if (live === log && log.getAttribute("aria-live") === "polite" && element.matches(".text"))
          window.announced.push(element.textContent);
      }
  }).observe(log, { childList: true, subtree: true });
}"""


def test_the_first_thing_is_the_box_and_what_truly_happens(person: Any) -> None:
    page = person.page
    assert page.evaluate("document.activeElement.id") == "question"
    cloud = person.served("GET", "/state")["cloud"].removeprefix("http://")
    promise = page.locator("#promise").text_content()
    assert promise.startswith(
        "Your profile stays on this device. Questions, answers and records marked"
    )
    assert promise.endswith(f"go to {cloud}.")


def test_an_answer_is_kept_as_it_was_written(person: Any) -> None:
    person.ask("What shall I eat?")
    kept = person.conversation()["messages"]
    assert [one["text"] for one in kept[:1]] == ["What shall I eat?"]
    person.words()
    assert person.text() == kept[1]["text"]
    assert person.page.locator("#title").text_content() == "What shall I eat?"


def test_a_reload_shows_the_same_conversation(person: Any) -> None:
    person.ask("First?")
    person.page.get_by_role("button", name="New conversation").click()
    person.ask("Second?")
    person.page.get_by_role("button", name="First?", exact=True).click()
    person.page.wait_for_selector("#title:text-is('First?')")
    person.words()
    before = person.text()
    person.page.reload()
    person.finished()
    person.words()
    assert (person.page.locator("#title").text_content(), person.text()) == ("First?", before)


def test_the_finished_text_is_announced_once_and_no_word_of_it_before(person: Any) -> None:
    person.page.evaluate(ANNOUNCEMENTS)
    person.ask()
    announced = person.page.evaluate("announced")
    assert announced == [person.answer().locator(".text").text_content()]
    assert person.answer().locator(".words").count() == 0 or (
        person.answer().locator(".words").get_attribute("aria-live") == "off"
    )


def test_while_words_come_none_is_drawn_again(person: Any) -> None:
    person.page.evaluate("""() => {
      window.seen = { added: 0, removed: 0 };
      new MutationObserver((changes) => {
        if (!document.querySelector(".words:not(.leaving)")) return; // the text has their place
        for (const { addedNodes, removedNodes } of changes) {
          for (const node of addedNodes) seen.added += node.matches?.(".word") ?? 0;
          for (const node of removedNodes) seen.removed += node.matches?.(".word, .words > *") ?? 0;
        }
      }).observe(document.getElementById("log"), { childList: true, subtree: true });
    }""")
    person.ask()
    seen = person.page.evaluate("seen")
    assert seen["added"] > 0
    assert seen["removed"] == 0


def test_words_that_are_shown_are_not_loaded_again(person: Any) -> None:
    person.ask("First?")
    with person.page.expect_response("**/conversations/*?have=*") as loaded:
        person.ask("Second?")
    kept = person.conversation()
    assert all(one["tokens"] for one in kept["messages"] if one["role"] == "assistant")
    assert len(loaded.value.body()) < len(json.dumps(kept)) / 5
    person.count(".answer [data-side=words]", 2)


def test_a_stopped_answer_is_kept_as_far_as_it_came(person: Any) -> None:
    person.page.locator("#strength").fill("0")  # no halves of characters
    person.ask_and_stop()
    person.words()
    kept = person.conversation()["messages"][1]["text"]
    assert person.text() == kept
    assert person.served.script.startswith(kept)
    assert 0 < len(kept) < len(person.served.script)


def test_nothing_is_stored_in_the_browser_but_the_token(person: Any, context: Any) -> None:
    person.ask()
    stored = person.page.evaluate("[Object.keys(sessionStorage), Object.keys(localStorage)]")
    databases = person.page.evaluate("indexedDB.databases()")
    assert (stored, databases, context.cookies()) == ([["costeer.token"], []], [], [])
    assert "ticket" not in person.page.url
    assert person.page.title() == "CoSteer"


def test_without_a_link_the_page_says_how_to_get_one(person: Any, context: Any) -> None:
    page = context.new_page()
    page.goto(person.served.app.url)
    page.wait_for_selector("#gate:not([hidden])")
    assert "costeer app" in page.locator("#gate").text_content()


def test_a_link_works_once(person: Any, context: Any) -> None:
    ticket = person.served.page.sessions.issue()
    for expected in ("#question", "#gate:not([hidden])"):
        page = context.new_page()
        page.goto(f"{person.served.app.url}/#ticket={ticket}")
        page.wait_for_selector(expected)
    person.watch.expected("console")  # the browser reports the status 401


def test_what_the_cloud_writes_stays_text(person: Any) -> None:
    person.page.locator("#strength").fill("0")
    person.ask()
    text = person.answer().locator(".text")
    assert "<script>alert(1)</script>" in text.text_content()
    assert text.locator("script, img, [style], [onclick]").count() == 0
    links = text.locator("a").evaluate_all("all => all.map(link => [link.rel, link.target])")
    assert set(map(tuple, links)) == {("noreferrer noopener", "_blank")}
    person.words()
    assert person.text() == person.served.script
