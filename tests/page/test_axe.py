"""axe finds nothing, light and dark, wide and narrow, in whatever is open."""

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser

LIGHT = {"color_scheme": "light"}
DARK = {"color_scheme": "dark"}
NARROW = {"color_scheme": "light", "viewport": {"width": 360, "height": 740}}
NARROW_DARK = NARROW | DARK


def violations(page: Any) -> Any:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    return [(one["id"], [node["html"][:120] for node in one["nodes"]][:3]) for one in found]


def views(person: Any) -> Iterator[Any]:
    """Each view in turn, by its name."""
    page = person.page
    yield "empty"
    person.write("Please greet Maren Okafor.")
    page.locator(".warning").wait_for()
    page.locator(".reads-toggle").click()
    yield "before sending"
    page.locator(".reads-toggle").click()
    person.press("Tab")
    page.press("#question", "Enter")
    page.locator("#confirm[open]").wait_for()
    yield "values"
    person.press("Enter")
    person.finished()
    yield "stand-ins"
    person.ask()
    yield "answer"
    person.answer().get_by_role("button", name="Compare with the cloud alone").click()
    page.wait_for_selector(".other[aria-busy='false']")
    yield "comparing"
    person.answer().locator(".other").get_by_role("button", name="Close").click()
    person.words().focus()
    person.press("ArrowDown")
    yield "words"
    person.press("Escape")
    person.answer().locator(".summary").click()
    page.get_by_role("dialog").wait_for()
    yield "ledger"
    person.press("Escape")
    if page.locator("#menu").is_visible():
        page.locator("#menu").click()
        yield "list"
    page.get_by_role("button", name="Your profile").click()
    page.locator(".record").first.wait_for()
    yield "profile"
    page.locator(".record").first.get_by_role("button", name="Delete").click()
    page.locator("#confirm[open]").wait_for()
    yield "question"


@pytest.mark.parametrize(
    "context",
    [LIGHT, DARK, NARROW, NARROW_DARK],
    ids=["light", "dark", "narrow", "narrow-dark"],
    indirect=True,
)
def test_axe_finds_nothing(person: Any, request: Any) -> None:
    person.page.emulate_media(reduced_motion="reduce")
    found = {}
    for name in views(person):
        person.picture(request, f"{request.node.callspec.id}-{name}")
        found[name] = violations(person.page)
    assert {name: one for name, one in found.items() if one} == {}


@pytest.mark.parametrize("context", [NARROW], ids=["narrow"], indirect=True)
def test_nothing_is_wider_than_a_narrow_screen(person: Any) -> None:
    for _ in views(person):
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert not person.page.evaluate(wide)
