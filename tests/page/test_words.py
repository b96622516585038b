"""The words of an answer: what the cloud would have written, and going on from another one."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser


@pytest.fixture
def words(person: Any) -> Any:
    """A finished answer, its words in focus."""
    person.ask()
    shown = person.words()
    shown.focus()
    return shown


def kept(person: Any) -> Any:
    """The tokens of the last answer, as the gateway keeps them."""
    return person.conversation()["messages"][-1]["tokens"]


def changed_at(person: Any) -> Any:
    return [token["i"] for token in kept(person) if token["changed"]]


def test_each_word_is_shaded_by_how_far_it_was_moved(person: Any, words: Any) -> None:
    steps = (0.5, 1, 2, 4)
    expected = [sum(abs(token["shift"] or 0) >= step for step in steps) for token in kept(person)]
    shown = words.locator(".word").evaluate_all(
        "words => words.map(word => Number(word.querySelector('[class*=shade-]')"
        "?.className.match(/shade-(.)/)[1] ?? 0))"
    )
    assert shown == expected
    assert len(set(expected)) > 2
    underlined = words.locator(".word.changed").evaluate_all("all => all.map(w => w.dataset.index)")
    assert [int(index) for index in underlined] == changed_at(person)


def test_shading_can_be_switched_off(person: Any, words: Any) -> None:
    shaded = "() => [...document.querySelectorAll('.mark')].map(m => getComputedStyle(m))"
    visible = (
        f"({shaded})().filter(s => s.backgroundColor !== 'rgba(0, 0, 0, 0)' "
        "|| s.textDecorationLine !== 'none').length"
    )
    assert person.page.evaluate(visible) > 0
    person.answer().get_by_role("button", name="Shading").click()
    assert person.page.evaluate(visible) == 0
    person.answer().get_by_role("button", name="Shading").click()
    assert person.page.evaluate(visible) > 0


def test_arrow_keys_walk_and_the_panel_stays_open(person: Any, words: Any) -> None:
    person.press("Home")
    assert person.active() == 0
    person.press("ArrowRight", "ArrowRight", "ArrowLeft")
    assert person.active() == 1
    person.press("ArrowDown")
    first = next(at for at in changed_at(person) if at > 1)
    assert person.active() == first
    person.press("ArrowDown", "ArrowUp")
    assert person.active() == first
    person.press("End")
    assert person.active() == len(kept(person)) - 1
    assert person.page.locator("#panel").is_visible()


def test_the_panel_shows_both_lists_as_the_gateway_gives_them(person: Any, words: Any) -> None:
    person.press("Home", "ArrowDown")
    token = kept(person)[person.active()]
    panel = person.page.locator("#panel")
    for title, rows in (
        ("The cloud alone", token["before"]),
        ("With your profile", token["after"]),
    ):
        section = panel.locator("section", has=person.page.get_by_text(title, exact=True))
        shares = section.locator(".share").all_text_contents()
        assert len(shares) == len(rows) == 10
        bounds = [len(row) > 3 and row[2] >= 0.001 for row in rows]
        assert [share.startswith("≤") for share in shares] == bounds
    assert panel.locator(".story strong").text_content().startswith("The cloud would have written")


def test_escape_goes_back_and_then_closes(person: Any, words: Any) -> None:
    person.press("Home", "Enter")
    assert person.page.evaluate("document.activeElement.closest('#panel') !== null")
    person.press("Escape")
    assert person.page.evaluate("document.activeElement.classList.contains('words')")
    person.press("Escape")
    assert person.page.locator("#panel").is_hidden()


def test_a_resting_pointer_opens_the_panel(person: Any, words: Any) -> None:
    person.press("Home", "Escape")
    words.locator(".word").nth(6).hover()
    person.page.wait_for_selector("#panel:not([hidden])")
    assert person.active() == 6


def test_words_that_appear_beneath_a_resting_pointer_open_nothing(person: Any) -> None:
    person.page.mouse.move(412, 170)
    person.page.evaluate("""() => {
      window.met = 0;
      const meet = (event) => (met += event.target.closest(".word") ? 1 : 0);
      document.addEventListener("pointerover", meet, true);
    }""")
    person.ask()
    for _ in range(50):  # Chromium notices what has moved beneath a pointer in its own time
        if person.page.evaluate("met") > 0:
            break
        person.page.wait_for_timeout(100)
    assert person.page.evaluate("met") > 0
    assert person.page.locator("#panel").is_hidden()


def test_choosing_another_word_goes_on_from_there_as_a_branch(person: Any, words: Any) -> None:
    person.press("Home", "ArrowRight", "ArrowRight", "ArrowRight", "Enter")
    before = kept(person)
    other = person.page.locator("#panel .candidate:not(.written)").first
    other.focus()
    person.press("Enter")
    person.finished()
    after = kept(person)
    assert after[:3] == before[:3]
    assert after[3]["id"] != before[3]["id"]
    assert person.answer().locator(".branches").get_attribute("aria-label") == "Version 2 of 2"
    person.words()
    assert person.text() == person.conversation()["messages"][-1]["text"]


def test_it_can_be_said_the_clouds_way(person: Any, words: Any) -> None:
    person.press("Home", "ArrowDown")
    at, before = person.active(), kept(person)
    person.page.get_by_role("button", name="Say it the cloud").click()
    person.finished()
    after = kept(person)
    assert after[at]["id"] == before[at]["own"]["id"]
    assert not after[at]["changed"]
    assert after[:at] == before[:at]
