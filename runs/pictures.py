"""The pictures of the page in docs/images, taken of the default pair in the system's Chromium.

Usage: python runs/pictures.py [FOLDER]

A server with the large model, and ``costeer app`` with an invented person's profile in a folder
that is removed afterwards; nothing of yours is read. Needs playwright and the models (costeer
models fetch). A few minutes on two cores.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.support.browser import chromium_path, launched

RECORDS = {
    "I am vegan and I have no car.": "preference",
    "I like quiet places, and I never eat late.": "preference",
    "My name is Maren Okafor. I live in Porto with my dog Biscuit.": "fact",
}
NOTE = "Write a card that thanks our neighbour for walking Biscuit, from Maren."
QUESTION = "Suggest a day out for Saturday and how to get there."
WORD = "Porto"
TOKENS = 110
"""Of the answer, which is stopped there."""

SIZE = {"width": 1200, "height": 720}
WAIT = 600_000
COSTEER = [sys.executable, "-m", "costeer"]


def main(folder: Path) -> None:
    """Take the pictures."""
    with tempfile.TemporaryDirectory() as home, launched(chromium_path()) as browser:
        environment = {
            **os.environ,
            "COSTEER_PROFILES": f"{home}/profiles",
            "COSTEER_PRIVATE": f"{home}/private",
            "COSTEER_PASSPHRASE_FILE": f"{home}/passphrase",
        }
        passphrase = Path(home, "passphrase")
        passphrase.touch(0o600)
        passphrase.write_text("an invented person's passphrase")
        make_profile(environment)
        serve = [*COSTEER, "serve", "--model", "qwen2.5-coder-1.5b", "--port", "0"]
        with running(serve, environment, r"http://\S+") as cloud:
            app = [*COSTEER, "app", "--no-browser", "--port", "0", "--cloud", cloud]
            with running(app, environment, r"http://\S+#ticket=\S+") as link:
                take(browser, link, folder)


def make_profile(environment: dict[str, str]) -> None:
    """A profile with the records."""
    steps = [(["init", "--no-keyring"], "")]
    steps += [(["add", "--kind", kind], text) for text, kind in RECORDS.items()]
    for step, text in steps:
        command = [*COSTEER, "profile", *step]
        subprocess.run(
            command, env=environment, input=text, text=True, check=True, stdout=subprocess.DEVNULL
        )


@contextmanager
def running(command: list[str], environment: dict[str, str], told: str) -> Iterator[str]:
    """Run a program until it tells what is searched for, and stop it at the end."""
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout  # noqa: S101
    try:
        found = next(match for line in process.stdout if (match := re.search(told, line)))
        yield found[0]
    finally:
        process.terminate()
        process.wait()


def take(browser: Any, link: str, folder: Path) -> None:
    """Take all three pictures."""
    page = browser.new_page(viewport=SIZE, color_scheme="dark")
    page.set_default_timeout(WAIT)
    page.goto(link)
    page.fill("#question", NOTE)
    page.get_by_text("records will be read").click()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / "page-ask.png")

    page.emulate_media(color_scheme="light")
    page.get_by_text("records will be read").click()
    page.fill("#question", QUESTION)
    page.press("#question", "Enter")
    page.locator(".word").nth(TOKENS).wait_for(state="attached")
    page.get_by_role("button", name="Stop").click()
    page.wait_for_selector(".answer:last-child .summary")
    page.get_by_role("button", name="Words", exact=True).click()
    page.locator(".word", has_text=WORD).first.click()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / "page-words.png")

    page.locator("#panel").get_by_role("button", name="Close").click()
    page.locator(".answer:last-child .summary").click()
    page.wait_for_timeout(1000)
    page.screenshot(path=folder / "page-ledger.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/images"))
