"""What a browser keeps in its own profile folder after a whole conversation: nothing private."""

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.page.person import Person
from tests.support.browser import FLAGS, Watch, chromium_path

pytestmark = pytest.mark.browser

CONTROL = "canary-that-is-kept"
QUESTION = "Which zwetschgenrot lamp suits Maren Okafor?"
PRIVATE = {
    "a question": "zwetschgenrot",
    "an answer": "chickpea",
    "a value of the question": "Okafor",
    "a record of the profile": "Biscuit",
    "a record that was added": "quittengelb",
}
STREAMS = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x1f\x8b\x08")
STORED = """async () => [
  Object.keys({...localStorage}), Object.keys({...sessionStorage}), document.cookie,
  (await indexedDB.databases()).length, (await caches.keys()).length,
  (await navigator.serviceWorker.getRegistrations()).length]"""


def unpacked(data: bytes) -> bytes:
    """What zlib or gzip makes of the beginning of ``data``; nothing where it is neither."""
    try:
        return zlib.decompressobj(47).decompress(data, 10**7)
    except zlib.error:
        return b""


def streams(data: bytes) -> Iterator[bytes]:
    """Whatever is packed somewhere in ``data``."""
    for start in STREAMS:
        at = data.find(start)
        while at >= 0:
            yield unpacked(data[at:])
            at = data.find(start, at + 1)


def holding(folder: Path, text: str) -> list[str]:
    """The files that hold a text: as bytes in one of Chromium's encodings, or packed.

    SQLite keeps texts as they are. So does LevelDB in its log, and in packed blocks where a text
    stands for the first time.
    """
    wanted = [text.encode(), text.encode("utf-16-le"), text.encode("utf-16-be")]
    found = []
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        data = path.read_bytes()
        every = [data, *streams(data)]
        if any(one in part for part in every for one in wanted):
            found.append(str(path.relative_to(folder)))
    return found


def use(person: Person) -> None:
    """A whole conversation, and everything else that shows private text."""
    page = person.page
    person.open()
    page.get_by_role("button", name="Your profile").click()
    page.get_by_label("New record").fill("My lamp is quittengelb.")
    page.get_by_role("button", name="Add", exact=True).click()
    page.locator(".record", has_text="quittengelb").wait_for()
    person.press("Escape")
    person.write(QUESTION)
    page.locator(".warning[role=status]").wait_for()
    page.press("#question", "Enter")
    page.get_by_role("button", name="Send a stand-in instead").click()
    person.finished()
    page.get_by_role("slider", name="Strength").focus()
    person.press("Home")  # off, so that the answer is the script's
    person.ask("And once more?")
    assert "chickpea" in person.answer().text_content()
    person.words().focus()
    person.press("ArrowDown", "Escape")
    person.answer().locator(".summary").click()
    page.get_by_role("dialog").wait_for()
    person.press("Escape")
    page.reload()
    person.finished()
    page.goto("about:blank")
    page.go_back()
    person.finished()


@pytest.mark.slow
def test_the_folder_of_the_browser_holds_no_private_word(
    browser: Any, served: Any, tmp_path: Path
) -> None:
    folder = tmp_path / "browser"
    launch = browser.browser_type.launch_persistent_context
    context = launch(str(folder), executable_path=chromium_path(), args=FLAGS)
    context.set_default_timeout(60_000)
    person = Person(context.new_page(), served, Watch(context, served.app.url))
    use(person)
    added = served("GET", "/records?q=quittengelb")["records"]
    served("DELETE", f"/records/{added[0]['id']}")
    stored = person.page.evaluate(STORED)
    person.page.evaluate(f"localStorage.setItem('control', '{CONTROL}')")
    context.close()
    assert stored == [[], ["costeer.token"], "", 0, 0, 0]
    assert holding(folder, CONTROL), "a folder in which nothing can be found proves nothing"
    assert {what: found for what, text in PRIVATE.items() if (found := holding(folder, text))} == {}


@pytest.mark.parametrize(
    "data",
    [
        b"head a secret word tail",
        b"head" + "a secret word".encode("utf-16-le"),
        b"head" + zlib.compress(b"a secret word") + b"tail",
        b"head" + gzip.compress(b"a secret word") + b"tail",
    ],
    ids=["bytes", "utf-16", "zlib", "gzip"],
)
def test_a_word_is_found_however_it_is_kept(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "Default" / "Cache" / "data_1"
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert holding(tmp_path, "a secret word") == ["Default/Cache/data_1"]
    assert holding(tmp_path, "another word") == []
