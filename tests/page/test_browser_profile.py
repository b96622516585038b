"""What a browser keeps on disk of a whole conversation: nothing private."""

import gzip
import threading
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.page.person import Person
from tests.support.browser import FLAGS, Watch, chromium_path

pytestmark = [pytest.mark.browser, pytest.mark.slow]

CONTROLS = {"storage": "Kontrollwort-Ablage", "cache": "Kontrollwort-Vorrat"}
PRIVATE = {
    "a question": "zwetschgenrot",
    "a question that is cancelled": "quittengelb",
    "an edited question": "mirabellenblau",
    "an answer": "chickpea",
    "a value in a question": "Okafor",
    "a record that was read": "I have no car",
    "a record written on the page": "schlehenschwarz",
    "what was looked for in the profile": "hagebutte",
}
STORED = """async () => [
  Object.keys(localStorage), Object.keys(sessionStorage), document.cookie, history.state,
  (await indexedDB.databases()).length, (await caches.keys()).length, document.title]
"""
MAGIC = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
MOST = 10**7  # bytes of an unpacked stream


def contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a folder, as they are, and what zlib or gzip packed in them."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.is_symlink():
            continue
        data = path.read_bytes()
        yield str(path.relative_to(folder)), data
        for magic in MAGIC:
            at = data.find(magic)
            while at >= 0:
                yield f"{path.relative_to(folder)}, unpacked", unpack(data[at:])
                at = data.find(magic, at + 1)


def unpack(data: bytes) -> bytes:
    """What zlib or gzip makes of the beginning of ``data``; nothing where it is neither."""
    stream, found = zlib.decompressobj(47), b""
    try:
        for start in range(0, len(data), 4096):  # what comes before an error counts
            found += stream.decompress(data[start : start + 4096], MOST - len(found))
            if stream.eof or len(found) >= MOST:
                break
    except zlib.error:
        pass
    return found


def holding(folder: Path, text: str) -> list[str]:
    """The files that hold a text, in upper or lower case, in an encoding that Chromium uses."""
    wanted = {one.encode(code) for one in (text, text.lower()) for code in ("utf-8", "utf-16-le")}
    return [name for name, data in contents(folder) if any(one in data for one in wanted)]


@contextmanager
def browsing(folder: Path, served: Any) -> Iterator[Person]:
    """Somebody whose browser keeps its profile."""
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium_path()
    if path is None:
        pytest.skip("the page's tests need Chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(folder), executable_path=path, args=FLAGS
        )
        context.set_default_timeout(20_000)
        yield Person(context.new_page(), served, Watch(context, served.app.url))
        context.close()


def converse(person: Person) -> None:
    """All that the page offers, with private words in it."""
    page = person.page
    person.open()
    person.ask(f"Which {PRIVATE['a question']} lamp suits my hall?")
    for text, button in (
        (f"Greet Maren Okafor, {PRIVATE['a question that is cancelled']}.", "Cancel"),
        ("Please greet Maren Okafor.", "Send as it is"),
    ):
        person.write(text)
        page.locator(".warning[role=status]").wait_for()
        page.press("#question", "Enter")
        page.get_by_role("button", name=button).click()
        page.wait_for_selector("#log[aria-busy='false']")
    assert PRIVATE["an answer"] in person.words().text_content()
    person.answer().locator(".word").first.click()
    page.locator("#panel").get_by_role("button").first.wait_for()
    person.answer().get_by_role("button", name="Compare with the cloud alone").click()
    page.wait_for_selector(".other[aria-busy='false']")
    person.answer().locator(".summary").click()
    page.locator("#ledger[open] pre").first.wait_for()
    person.press("Escape")
    question = page.locator(".question").first
    question.hover()
    question.get_by_role("button", name="Edit").click()
    question.locator("textarea").fill(f"A {PRIVATE['an edited question']} lamp?")
    question.get_by_role("button", name="Ask again").click()
    person.finished()
    edit_profile(page)
    page.reload()
    page.locator(".summary").wait_for()


def edit_profile(page: Any) -> None:
    """Write a record, and look for one."""
    page.get_by_role("button", name="Your profile").click()
    dialog = page.get_by_role("dialog").first
    text = f"My curtains are {PRIVATE['a record written on the page']}."
    dialog.get_by_label("New record").fill(text)
    dialog.get_by_role("button", name="Add").click()
    row = dialog.locator("li", has_text="curtains")
    row.wait_for()
    row.get_by_role("button", name="Delete").click()
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    row.wait_for(state="detached")
    dialog.get_by_label("Search your profile").fill(PRIVATE["what was looked for in the profile"])
    dialog.locator("li").first.wait_for(state="detached")
    page.keyboard.press("Escape")


class Cacheable(BaseHTTPRequestHandler):
    """A page that a browser may keep."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("cache-control", "max-age=3600")
        self.send_header("content-encoding", "gzip")
        self.end_headers()
        self.wfile.write(gzip.compress(CONTROLS["cache"].encode()))

    def log_message(self, *_: Any) -> None:
        """Print nothing."""


def leave_controls(page: Any) -> None:
    """Two texts that a browser does keep: what a page stores, and a response that it may cache."""
    page.evaluate(f"localStorage.setItem('control', '{CONTROLS['storage']}')")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Cacheable)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page.goto(f"http://127.0.0.1:{server.server_port}/")
    server.shutdown()
    server.server_close()


def test_the_profile_folder_of_the_browser_holds_no_private_word(
    served: Any, tmp_path: Path
) -> None:
    served("DELETE", "/conversations")
    with browsing(tmp_path / "browser", served) as person:
        converse(person)
        stored, number = person.page.evaluate(STORED), person.conversation()["id"]
        assert person.watch.problems == []
        leave_controls(person.page)
    assert stored == [[], ["costeer.token"], "", {"conversation": number}, 0, 0, "CoSteer"]
    found = {what: holding(tmp_path / "browser", text) for what, text in PRIVATE.items()}
    assert {what: files for what, files in found.items() if files} == {}
    for text in CONTROLS.values():
        assert holding(tmp_path / "browser", text), "where nothing is found, nothing is proven"
