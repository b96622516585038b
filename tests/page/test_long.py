"""An answer of thousands of words is drawn in parts, and nothing of it is lost."""

from typing import Any

import pytest

pytestmark = [pytest.mark.browser, pytest.mark.slow]

COUNT = 3000
VIEW = """async (count) => {
  const { Answer } = await import("/static/answer.js");
  const nothing = () => {};
  const actions = { follow: nothing, inspect: nothing, enterPanel: nothing, closePanel: nothing };
  const tokens = Array.from({ length: count }, (_, i) =>
    ({ text: i % 50 === 49 ? ".\\n" : ` w${i}`, changed: i === count - 1, shift: null }));
  const text = tokens.map((token) => token.text).join("");
  window.answer = new Answer(
    { id: 1, role: "assistant", text, html: "<p>The finished text.</p>", tokens }, actions);
  document.getElementById("main").dataset.empty = "false";
  document.getElementById("log").append(answer.element);
  return text;
}"""


@pytest.fixture
def text(person: Any) -> Any:
    """The text of a long answer that is shown."""
    return person.page.evaluate(VIEW, COUNT)


def press(person: Any, name: Any) -> None:
    person.answer().get_by_role("button", name=name, exact=True).click()


def words(person: Any) -> Any:
    return person.answer().locator(".answer-body .words")


def test_all_words_are_drawn_however_often_they_are_shown(person: Any, text: Any) -> None:
    assert words(person).count() == 0  # they are not shown, so there is none
    for _ in range(2):
        press(person, "Words")
        person.count(".answer-body .word", COUNT)
        assert words(person).text_content() == text
        press(person, "Text")
        person.count(".answer-body .words", 0)
        assert person.answer().locator(".answer-body").text_content() == "The finished text."


def test_words_that_are_going_come_back_whole(person: Any, text: Any) -> None:
    press(person, "Words")
    person.count(".answer-body .word", COUNT)
    person.page.evaluate(
        """async () => {
          const [text, words] = ["text", "words"].map((side) =>
            document.querySelector(`.answer:last-child [data-side=${side}]`));
          text.click();
          await new Promise(requestAnimationFrame);
          words.click();
        }"""
    )
    person.count(".answer-body .word", COUNT)
    assert words(person).text_content() == text
    assert words(person).locator(".word").last.is_visible()


def test_the_last_word_is_reached_before_it_is_drawn(person: Any, text: Any) -> None:
    chosen = person.page.evaluate(
        """() => {
          document.querySelector(".answer:last-child [data-side=words]").click();
          const words = document.querySelector(".answer-body .words");
          words.dispatchEvent(new KeyboardEvent("keydown", { key: "End" }));
          return words.getAttribute("aria-activedescendant");
        }"""
    )
    assert chosen.endswith(f"-{COUNT - 1}")
    assert words(person).text_content() == text
