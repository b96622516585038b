"""What an answer took out of the profile is named, in the panel and in the ledger."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser

FACT = "My name is Maren Okafor. I live in Porto with my dog Biscuit."
PIECES = [
    ("Go", False),
    (" to", True),
    (" Por", True),
    ("to", False),
    (" today", True),
    ("", False),
]


def token(i: Any, text: Any, changed: Any) -> Any:
    own = {"id": 90 + i, "text": " near" if changed else text}
    rows = [[i, text, 0.5], [90 + i, own["text"], 0.25, True]]
    return {
        **{"i": i, "id": i, "text": text, "shift": 3.0 if changed else 0.0, "changed": changed},
        **{"own": own, "before": rows, "after": rows, "strength": "auto", "end": text == ""},
    }


TOKENS = [token(i, *piece) for i, piece in enumerate(PIECES)]
TEXT = "".join(text for text, _ in PIECES)
DEPARTURE = {
    **{"when": "2026-01-01T10:00:00Z", "destination": "http://cloud.test/v1/completions"},
    **{"body": '{"prompt": [1]}', "text": "\n", "bytes_up": 300, "bytes_down": 1500},
}


def conversation(number: Any) -> Any:
    question = {"id": 1, "parent": None, "role": "user", "text": "Where?", "siblings": [1]}
    answer = {"id": 2, "parent": 1, "role": "assistant", "text": TEXT, "html": f"<p>{TEXT}</p>"}
    return {
        **{"id": number, "title": "Where?", "kept": True},
        "messages": [question, answer | {"siblings": [2], "tokens": TOKENS, "strength": "auto"}],
        "records": [{"id": 1, "kind": "fact", "text": FACT, "reason": "pinned"}],
    }


def fulfill(body: Any) -> Any:
    return lambda route: route.fulfill(json=body)


@pytest.fixture
def shown(person: Any) -> Any:
    """A conversation whose answer took "Porto" out of a record."""
    number = person.served.new()
    ledger = {
        "departures": [DEPARTURE],
        **{"stayed": {"records": 1, "characters": len(FACT)}, "changed": 3},
    }
    answers = {f"conversations/{number}": conversation(number), "messages/2/ledger": ledger}
    for path, body in answers.items():
        person.page.route(f"**/app/{path}", fulfill(body))
    person.page.reload()
    person.page.locator(".conversation").click()
    person.finished()
    return person


def test_the_panel_names_the_record_that_holds_the_word(shown: Any) -> None:
    shown.words().focus()
    shown.press("Home", "ArrowDown", "ArrowDown", "ArrowRight")
    assert shown.active() == 3
    sources = shown.page.locator("#panel .sources")
    assert "“Porto” is in your profile" in sources.text_content()
    assert "I live in Porto" in sources.text_content()
    shown.press("ArrowRight")
    assert sources.count() == 0


def test_the_end_of_the_answer_is_named(shown: Any) -> None:
    shown.words().focus()
    shown.press("End")
    assert shown.page.locator("#panel h2").text_content() == "(end of the answer)"


def test_the_panel_says_how_far_the_word_was_moved(shown: Any) -> None:
    shown.words().focus()
    shown.press("Home", "ArrowDown")
    story = shown.page.locator("#panel .story").text_content()
    assert "would have written “␣near”" in story
    assert "made “␣to” at least 8.0 times likelier" in story


def test_the_ledger_names_what_was_taken_and_what_was_sent(shown: Any, tmp_path: Any) -> None:
    shown.answer().locator(".summary").click()
    dialog = shown.page.get_by_role("dialog")
    dialog.wait_for()
    assert dialog.locator(".taken strong").all_text_contents() == ["Porto"]
    assert dialog.locator("pre").text_content() == "↵"
    dialog.get_by_role("button", name="As sent").click()
    assert dialog.locator("pre").text_content() == DEPARTURE["body"]
    with shown.page.expect_download() as saved:
        dialog.get_by_role("button", name="Save as a file").click()
    saved.value.save_as(tmp_path / "ledger.json")
    assert json.loads((tmp_path / "ledger.json").read_text())["departures"] == [DEPARTURE]
