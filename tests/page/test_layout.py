"""Nothing is cut, covered or out of its place, at 320 pixels and in other scripts."""

from typing import Any

import pytest

pytestmark = pytest.mark.browser

WIDE = {"viewport": {"width": 1280, "height": 800}}
NARROW = {"viewport": {"width": 320, "height": 640}}
SIZES = pytest.mark.parametrize("context", [WIDE, NARROW], ids=["wide", "narrow"], indirect=True)
RENDER = """async (html) => {
  const { Answer } = await import("/static/answer.js");
  const nothing = () => {};
  const answer = new Answer({ id: 1, role: "assistant", text: "x", html, tokens: null },
    { follow: nothing, inspect: nothing, enterPanel: nothing, closePanel: nothing });
  document.getElementById("main").dataset.empty = "false";
  document.getElementById("log").append(answer.element);
}"""


def box(person: Any, selector: Any) -> Any:
    """Where an element is: left, right, width, height."""
    found = person.page.locator(selector).first.bounding_box()
    return found["x"], found["x"] + found["width"], found["width"], found["height"]


@SIZES
def test_the_box_to_write_in_has_its_controls_in_a_row(person: Any) -> None:
    person.page.locator("#strength").fill("0")
    (*_, end, width, height) = box(person, "button.send")
    assert width == pytest.approx(height)
    assert end == pytest.approx(box(person, "#composer")[1], abs=12)
    toggle, strength = (
        person.page.locator(name).bounding_box() for name in (".reads-toggle span", ".strength")
    )
    assert (
        toggle["x"] + toggle["width"] <= strength["x"]
        or toggle["y"] + toggle["height"] <= strength["y"]
    )


@SIZES
def test_a_record_is_edited_within_the_screen(person: Any) -> None:
    person.page.evaluate("document.getElementById('open-profile').click()")
    dialog = person.page.locator("#profile")
    dialog.locator(".record").first.get_by_role("button", name="Edit").click()
    for name in ("Send with every question", "Kind of this record", "Text of this record"):
        found = dialog.locator("li form").get_by_label(name).bounding_box()
        assert found["x"] + found["width"] <= person.page.viewport_size["width"]
    assert box(person, "li form .primary-button")[1] <= person.page.viewport_size["width"]
    label = person.page.locator("li form label").first
    assert label.evaluate("e => e.scrollWidth <= e.clientWidth && e.clientHeight < 40")
    assert label.evaluate("e => getComputedStyle(e).backgroundColor") == "rgba(0, 0, 0, 0)"


@SIZES
def test_a_table_breaks_no_word(person: Any) -> None:
    cells = "".join(f"<td>{'Wednesday ' * 4}{n}</td>" for n in range(5))
    person.page.evaluate(RENDER, f"<table><tr><td>12.00</td>{cells}</tr></table>")
    lines = person.page.evaluate("""() => {
      const range = document.createRange();
      range.selectNodeContents(document.querySelector(".text td"));
      return range.getClientRects().length;
    }""")
    assert lines == 1
    assert box(person, ".text table")[1] <= person.page.viewport_size["width"]


def test_lists_quotations_and_tables_begin_where_their_script_does(person: Any) -> None:
    word = "\u0645\u0631\u062d\u0628\u0627"
    block = (
        "<ol><li>{0}</li></ol><blockquote><p>{0}</p></blockquote>"
        "<table><tr><td>{0}</td></tr></table>"
    )
    person.page.evaluate(RENDER, block.format(word) + block.format("Hello"))
    for tag in ("ol", "blockquote", "table"):
        found = person.page.locator(f".text {tag}").evaluate_all(
            "all => all.map(one => getComputedStyle(one).direction)"
        )
        assert found == ["rtl", "ltr"]


@pytest.mark.parametrize("context", [NARROW], ids=["narrow"], indirect=True)
def test_the_story_of_a_word_covers_nothing(person: Any) -> None:
    person.ask()
    person.words().focus()
    person.press("ArrowDown")
    story, lists = (
        person.page.locator(f"#panel .{name}").bounding_box() for name in ("story", "lists")
    )
    inside = person.page.locator("#panel .story").evaluate("one => one.scrollHeight")
    assert story["y"] + inside <= lists["y"]
