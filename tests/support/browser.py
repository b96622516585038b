"""Chromium on the page, and a watch over what a page must never do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) =>
  tell(`${event.violatedDirective} ${event.blockedURI}`));
"""


def chromium_path() -> Any:
    """The system's Chromium, or None."""
    return next(filter(None, map(shutil.which, NAMES)), None)


@contextmanager
def launched(path: Any) -> Iterator[Any]:
    """A browser."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


class Watch:
    """Collects what must not happen in a browser context.

    ``problems``: requests to anybody but the gateway, lines on the console, uncaught errors, and
    violations of the content security policy.
    """

    def __init__(self, context: Any, url: Any) -> None:
        self.problems = []
        self.requests = []
        self._url = url
        context.expose_binding("tell", lambda _, what: self._add("policy", what))
        context.add_init_script(VIOLATIONS)
        context.on("request", self._requested)
        context.on("console", lambda message: self._add("console", message.text))
        context.on("weberror", lambda error: self._add("error", str(error.error)))

    def _requested(self, request: Any) -> None:
        self.requests.append((request.method, request.url.removeprefix(self._url)))
        if not request.url.startswith((f"{self._url}/", f"blob:{self._url}/")):
            self._add("request", request.url)

    def _add(self, kind: Any, what: Any) -> None:
        self.problems.append(f"{kind}: {what}")

    def expected(self, kind: Any) -> None:
        """Take problems of a kind off the list, which must be there."""
        found = [one for one in self.problems if one.startswith(f"{kind}:")]
        assert found, f"no {kind} among {self.problems}"
        self.problems = [one for one in self.problems if one not in found]
