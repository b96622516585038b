"""What a browser keeps in its profile folder after a session: nothing private."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.page.person import Person
from tests.support.browser import FLAGS, Watch, chromium_path

pytestmark = pytest.mark.browser

QUESTION = "Which zwetschgenrot lamp suits my hall?"
KEPT = "canary-that-is-kept"
PRIVATE = {
    "a question": "zwetschgenrot",
    "an answer": "chickpea",
    "a fact of the profile": "Okafor",
    "a preference of the profile": "I am vegan",
}


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """All files below, as they are and as streams that zlib packed."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            data = path.read_bytes()
            yield str(path.relative_to(folder)), data
            for start in (b"\x78\x01", b"\x78\x9c", b"\x1f\x8b\x08"):
                at = data.find(start)
                while at >= 0:
                    yield f"{path.name} unpacked", unpack(data[at:])
                    at = data.find(start, at + 1)


def unpack(data: bytes) -> bytes:
    """What zlib or gzip makes of the beginning of ``data``; nothing where it is neither."""
    try:
        return zlib.decompressobj(47).decompress(data, 10**7)
    except zlib.error:
        return b""


def holding(folder: Path, text: str) -> list[str]:
    """The files that hold a text in one of the encodings of Chromium's files."""
    wanted = [text.encode(), text.encode("utf-16-le")]
    return [name for name, data in files(folder) if any(one in data for one in wanted)]


@pytest.mark.slow
def test_the_profile_folder_of_the_browser_holds_no_private_word(
    served: Any, tmp_path: Path
) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    path = chromium_path()
    if path is None:
        pytest.skip("the page's tests need Chromium: apt-get install chromium")
    folder = tmp_path / "browser"
    with playwright.sync_playwright() as started:
        context = started.chromium.launch_persistent_context(
            str(folder), executable_path=path, args=FLAGS
        )
        context.set_default_timeout(60_000)
        person = Person(context.new_page(), served, Watch(context, served.app.url))
        person.open()
        person.ask(QUESTION)
        assert "chickpea" in person.answer().text_content()
        person.page.reload()
        stored = person.page.evaluate(
            "async () => [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage}),"
            " document.cookie, (await indexedDB.databases()).length, (await caches.keys()).length]"
        )
        person.page.evaluate(f"localStorage.setItem('control', '{KEPT}')")
        context.close()
    assert not [what for what, text in PRIVATE.items() if text in str(stored)]
    assert stored[2:] == ["", 0, 0]
    assert holding(folder, KEPT), "a folder in which nothing can be found proves nothing"
    assert {what: found for what, text in PRIVATE.items() if (found := holding(folder, text))} == {}
