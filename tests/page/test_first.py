"""The first minute: nothing is known of the person, and the page says where to begin."""

from typing import Any

import pytest

from tests.page.person import Person
from tests.support.browser import Watch
from tests.support.page import running_page

pytestmark = pytest.mark.browser


def test_an_empty_profile_is_pointed_at_until_it_has_a_record(browser: Any, tmp_path: Any) -> None:
    with running_page(tmp_path) as served, browser.new_context() as context:
        context.set_default_timeout(20_000)
        person = Person(context.new_page(), served, Watch(context, served.app.url))
        person.open()
        page = person.page
        page.get_by_role("button", name="Tell it something").click()
        dialog = page.get_by_role("dialog", name="Your profile")
        dialog.wait_for()
        person.page.keyboard.type("I am vegan.")
        dialog.get_by_role("button", name="Add", exact=True).click()
        page.locator("#first").wait_for(state="hidden")
        person.press("Escape")
        person.write("Dinner?")
        page.wait_for_selector(".reads-toggle:has-text('1 record will be read')")
        page.get_by_role("button", name="Your profile").click()
        dialog.get_by_role("button", name="Delete: I am vegan.").click()
        page.get_by_role("dialog").get_by_role("button", name="Delete", exact=True).click()
        page.locator("#first").wait_for()
        assert person.watch.problems == []


def test_who_has_a_context_file_is_not_asked_for_a_record(browser: Any, tmp_path: Any) -> None:
    with running_page(tmp_path, text="I am vegan.") as served, browser.new_context() as context:
        person = Person(context.new_page(), served, Watch(context, served.app.url))
        person.open()
        person.write("Dinner?")
        assert person.page.locator("#first").is_hidden()
