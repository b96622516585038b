"""The ledger, the profile, side by side, and keeping nothing."""

import json
from typing import Any

import pytest

pytestmark = pytest.mark.browser


def records(person: Any) -> Any:
    return {one["text"]: one for one in person.served("GET", "/records")["records"]}


def test_the_ledger_shows_every_byte_that_left(person: Any, tmp_path: Any) -> None:
    person.ask()
    person.answer().locator(".summary").click()
    dialog = person.page.get_by_role("dialog")
    dialog.wait_for()
    answer = person.conversation()["messages"][1]["id"]
    ledger = person.served("GET", f"/messages/{answer}/ledger")
    bodies = dialog.locator("pre")
    assert bodies.count() == len(ledger["departures"]) > 0
    shown, spelled = bodies.all_text_contents(), [one["text"] for one in ledger["departures"]]
    assert [
        one for one, text in zip(shown, spelled, strict=True) if text.strip() and one != text
    ] == []
    dialog.locator("summary").first.focus()
    dialog.get_by_role("button", name="As sent").first.click()
    assert bodies.first.text_content() == ledger["departures"][0]["body"]
    with person.page.expect_download() as saved:
        dialog.get_by_role("button", name="Save as a file").click()
    saved.value.save_as(tmp_path / "ledger.json")
    assert json.loads((tmp_path / "ledger.json").read_text()) == ledger
    person.press("Escape")
    assert dialog.count() == 0


def test_no_private_word_is_in_the_ledger(person: Any) -> None:
    person.page.locator("#strength").fill("0")
    person.ask("What shall I cook?")
    person.answer().locator(".summary").click()
    shown = person.page.get_by_role("dialog").text_content()
    assert not any(word in shown for word in ("vegan", "Maren", "Biscuit"))


def test_the_profile_is_edited_from_the_page(person: Any) -> None:
    page = person.page
    page.get_by_role("button", name="Your profile").click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_label("New record").fill("I sleep with the window open.")
    dialog.get_by_label("Kind", exact=True).select_option("fact")
    dialog.get_by_role("button", name="Add").click()
    row = dialog.locator("li", has_text="window open")
    row.wait_for()
    assert records(person)["I sleep with the window open."]["kind"] == "fact"

    row.get_by_role("switch").uncheck()
    dialog.locator("li.inactive").wait_for()
    assert not records(person)["I sleep with the window open."]["active"]

    row.get_by_role("button", name="Edit").click()
    dialog.get_by_label("Text of this record").fill("I sleep with the window closed.")
    dialog.get_by_role("button", name="Save").click()
    changed = dialog.locator("li", has_text="window closed")
    changed.wait_for()

    dialog.get_by_label("Search your profile").fill("window")
    person.count(".record", 1)
    changed.get_by_role("button", name="Delete").click()
    page.locator("#confirm").get_by_role("button", name="Delete").click()
    person.count(".record", 0)
    assert not any("window" in text for text in records(person))


def test_a_record_that_is_sent_is_in_the_ledger(person: Any, request: Any) -> None:
    page = person.page
    page.get_by_role("button", name="Your profile").click()
    dialog = page.get_by_role("dialog").first
    dialog.get_by_label("New record").fill("Answer in Spanish.")
    dialog.get_by_label("Send with every question").check()
    dialog.get_by_role("button", name="Add").click()
    row = dialog.locator("li", has_text="Answer in Spanish.")
    row.get_by_text("Sent with every question").wait_for()
    dialog.get_by_label("Kind", exact=True).select_option("document")
    assert dialog.get_by_label("Send with every question").is_hidden()
    person.picture(request, "sent")
    number = records(person)["Answer in Spanish."]["id"]
    try:
        dialog.get_by_role("button", name="Close").click()
        person.ask()
        answer = person.conversation()["messages"][1]["id"]
        ledger = person.served("GET", f"/messages/{answer}/ledger")
        assert "Answer in Spanish." in "".join(one["text"] for one in ledger["departures"])
        read = [one["sent"] for one in person.conversation()["records"]]
        assert read.count(True) == 1
        assert ledger["stayed"]["records"] == read.count(False)

        page.get_by_role("button", name="Your profile").click()
        row.get_by_role("button", name="Edit").click()
        editing = dialog.locator("li form")
        editing.get_by_label("Send with every question").uncheck()
        editing.get_by_role("button", name="Save").click()
        row.get_by_text("Sent with every question").wait_for(state="detached")
        assert not records(person)["Answer in Spanish."]["sent"]
    finally:
        person.served("DELETE", f"/records/{number}")


def test_a_record_with_markup_stays_text(person: Any) -> None:
    hostile = '<img src="http://a.test/x.png" onerror="alert(1)"> & "quotes"'
    number = person.served("POST", "/records", {"kind": "fact", "text": hostile})["id"]
    try:
        person.page.get_by_role("button", name="Your profile").click()
        row = person.page.locator(".record", has_text="onerror")
        row.wait_for()
        assert row.locator("p").text_content() == hostile
    finally:
        person.served("DELETE", f"/records/{number}")


def test_the_cloud_alone_is_shown_beside_and_not_stored(person: Any) -> None:
    person.ask()
    before = person.conversation()
    person.answer().get_by_role("button", name="Compare with the cloud alone").click()
    person.page.wait_for_selector(".other[aria-busy='false']")
    assert person.answer().locator(".other .words").text_content() == person.served.script
    assert person.conversation() == before
    person.answer().locator(".other").get_by_role("button", name="Close").click()
    assert person.answer().locator(".other").is_hidden()


def test_nothing_is_kept_where_the_person_wishes_so(person: Any) -> None:
    person.page.get_by_role("switch", name="Keep nothing").check()
    person.ask("Forget me?")
    latest = person.served("GET", "/conversations")["conversations"][0]
    assert (latest["title"], latest["kept"]) == ("Forget me?", False)
    assert "not kept" in person.page.locator("#list li").first.text_content()
    assert "Forget me?" not in "".join(
        one.title for one in person.served.page.storage.profile.conversations.all()
    )


def test_everything_is_exported(person: Any, tmp_path: Any) -> None:
    person.ask("Take me along?")
    with person.page.expect_download() as saved:
        person.page.get_by_role("button", name="Export everything").click()
    saved.value.save_as(tmp_path / "all.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert "Take me along?" in json.dumps(lines)
    assert "I am vegan" in json.dumps(lines)
