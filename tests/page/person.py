"""What a person does at the page."""

import re
from pathlib import Path
from typing import Any

ANSWER = ".answer:last-child"


class Person:
    """Somebody at the page; ``page`` is Playwright's."""

    def __init__(self, page: Any, served: Any, watch: Any) -> None:
        self.page, self.served, self.watch = page, served, watch

    def open(self) -> None:
        """Open a fresh link."""
        ticket = self.served.page.sessions.issue()
        self.page.goto(f"{self.served.app.url}/#ticket={ticket}")
        self.page.wait_for_selector("#question")

    def write(self, text: Any) -> None:
        """Write into the box."""
        self.page.fill("#question", text)

    def ask(self, text: Any = "What shall I eat on Saturday?") -> None:
        """Ask, and wait for the finished answer."""
        self.write(text)
        self.page.press("#question", "Enter")
        self.finished()

    def ask_and_stop(self, text: Any = "Stop it?") -> None:
        """Ask, and stop the answer in its middle."""
        self.write(text)
        with self.served.model.held_at(20):
            self.page.press("#question", "Enter")
            self.page.wait_for_selector(".word")
            with self.page.expect_response("**/stop"):
                self.page.get_by_role("button", name="Stop", exact=True).click()
        self.finished()

    def finished(self) -> None:
        """Wait until nothing is being written."""
        self.page.wait_for_selector("#log[aria-busy='false']")
        self.page.wait_for_selector(f"{ANSWER} .summary")

    def answer(self) -> Any:
        """The last answer."""
        return self.page.locator(ANSWER)

    def words(self) -> Any:
        """Show the words of the last answer; their element."""
        self.answer().get_by_role("button", name="Words", exact=True).click()
        return self.answer().locator(".answer-body .words")

    def text(self) -> Any:
        """The words of the last answer as they are on the page."""
        return self.answer().locator(".answer-body .words").text_content()

    def active(self) -> Any:
        """The index of the active word."""
        return int(self.page.locator(".word.active").get_attribute("data-index"))

    def picture(self, request: Any, name: Any) -> None:
        """Leave a picture where --screenshots says."""
        folder = request.config.getoption("--screenshots")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            name = re.sub(r"\W+", "-", name.removeprefix("test_")).strip("-")
            self.page.screenshot(path=Path(folder) / f"{name}.png")

    def count(self, selector: Any, number: Any) -> None:
        """Wait until there are so many."""
        from playwright.sync_api import expect

        expect(self.page.locator(selector)).to_have_count(number)

    def press(self, *keys: Any) -> None:
        """Press keys, wherever the focus is."""
        for key in keys:
            self.page.keyboard.press(key)

    def conversation(self) -> Any:
        """The latest conversation, as the gateway keeps it."""
        latest = self.served("GET", "/conversations")["conversations"][0]
        return self.served.get(latest["id"])
