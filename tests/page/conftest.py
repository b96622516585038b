import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.page.person import Person
from tests.support.browser import Watch, chromium_path, launched
from tests.support.page import running_page
from tests.support.profiles import FAST, PASSPHRASE
from tests.support.scripted import ScriptedModel
from tests.support.serving import running

SCRIPT = """Ol\u00e9! A *plan*:

1. walk
2. chickpea stew

<script>alert(1)</script> ![x](http://a.test/?q) [b](http://a.test/)
"""
RECORDS = [
    ("preference", "I am vegan and I have no car."),
    ("fact", "My name is Maren Okafor. I live in Porto with my dog Biscuit."),
    ("document", "The chickpea stew needs an hour."),
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Chromium; skips loudly where it is missing."""
    pytest.importorskip("playwright", reason="the page's tests need: pip install playwright")
    path = chromium_path()
    if path is None:
        pytest.skip("the page's tests need Chromium: apt-get install chromium")
    with launched(path) as opened:
        yield opened


@pytest.fixture(scope="session")
def served(tmp_path_factory: Any) -> Iterator[Any]:
    """The real gateway over fake models, with a profile; one for all tests."""
    from costeer.profile import profiles
    from costeer.profile.records import Draft

    folder = tmp_path_factory.mktemp("page")
    before = os.environ.get("COSTEER_PROFILES")
    os.environ["COSTEER_PROFILES"] = str(folder / "profiles")
    try:
        profiles.create("default", PASSPHRASE, FAST)
        with profiles.open_by_secret("default", PASSPHRASE) as profile:
            profile.records.add_all([Draft(kind, text) for kind, text in RECORDS])
            model = ScriptedModel(SCRIPT, seed=1)
            with ExitStack() as stack:
                url = stack.enter_context(running(model)).url
                options = {"cloud": url, "url": url, "guard": "off", "limit": 400}
                client = stack.enter_context(running_page(folder, profile, **options))
                client.script, client.model = SCRIPT, model
                yield client
    finally:
        if before is None:
            del os.environ["COSTEER_PROFILES"]
        else:
            os.environ["COSTEER_PROFILES"] = before


@pytest.fixture
def context(browser: Any, served: Any, request: Any) -> Iterator[Any]:
    """A browser context that fails the test on anything that the page must not do."""
    options = {"viewport": {"width": 1280, "height": 800}} | getattr(request, "param", {})
    opened = browser.new_context(**options, permissions=["clipboard-read", "clipboard-write"])
    opened.set_default_timeout(20_000)
    watch = Watch(opened, served.app.url)
    opened.watch = watch
    try:
        yield opened
        assert watch.problems == []
    finally:
        opened.close()


@pytest.fixture
def person(context: Any, served: Any, request: Any) -> Iterator[Any]:
    """Somebody at the page, who has opened its link."""
    served("POST", "/keep", {"keep": True})
    served("DELETE", "/conversations")
    opened = Person(context.new_page(), served, context.watch)
    opened.open()
    yield opened
    opened.picture(request, request.node.name)
