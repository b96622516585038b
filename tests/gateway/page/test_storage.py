"""What is kept and what is not; which records a conversation reads."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from costeer.gateway.page.storage import IN_MEMORY, Storage
from tests.support.page import running_page, text_of, tokens_of
from tests.support.profiles import PASSPHRASE


@pytest.fixture
def kept(tmp_path: Any, profile: Any) -> Iterator[Any]:
    """A page with a profile that has some records."""
    with running_page(tmp_path, profile=profile) as page:
        for kind, text in (
            ("preference", "I am vegan."),
            ("fact", "My dog is called Rex."),
            ("document", "Rex eats carrots."),
            ("document", "The boat is blue."),
        ):
            page("POST", "/records", {"kind": kind, "text": text})
        yield page


def everything(profile: Any) -> Any:
    tables = ("conversations", "messages", "departures", "traces", "conversation_records")
    return {table: profile.database.read(f"SELECT * FROM {table}") for table in tables}


def reasons(shown: Any) -> Any:
    return {one["text"]: one["reason"] for one in shown["records"]}


@pytest.mark.slow
def test_with_a_profile_conversations_are_kept(kept: Any, profile: Any) -> None:
    number = kept.new()
    found = kept.ask(number, text="Hello?")
    assert number < IN_MEMORY
    assert kept("GET", "/state")["keeps"]
    assert kept("GET", "/conversations")["conversations"][0]["kept"]
    assert profile.conversations.branch(number)[-1].text == text_of(found)
    assert profile.traces.get(found[-1]["message"]).records == 2


@pytest.mark.slow
def test_keep_nothing_writes_nothing_from_then_on(kept: Any, profile: Any) -> None:
    stored = kept.new()
    answer = kept.ask(stored, text="Hello?")[-1]["message"]
    before = everything(profile)
    assert kept("POST", "/keep", {"keep": False})["keeps"] is False
    number = kept.new()
    found = kept.ask(number, text="What does Rex eat?")
    kept.ask(number, regenerate=found[-1]["message"])
    kept("PATCH", f"/conversations/{number}", {"title": "Secret"})
    assert len(kept.get(number)["messages"][-1]["siblings"]) == 2
    assert "Rex eats carrots." in reasons(kept.get(number))
    assert everything(profile) == before
    for body in ({"text": "More?"}, {"regenerate": answer}):
        refused = kept.send("POST", f"/conversations/{stored}/ask", body)
        assert refused.status_code == 400
        assert refused.json()["error"]["code"] == "conversation_is_kept"
    assert kept.ask(stored, regenerate=answer, alone=True)[-1]["type"] == "end"
    assert everything(profile) == before
    assert kept("POST", "/keep", {"keep": True})["keeps"]
    kept.ask(number, text="And more?")
    assert everything(profile) == before  # what began in memory stays there
    listed = kept("GET", "/conversations")["conversations"]
    assert {one["id"]: one["kept"] for one in listed} == {stored: True, number: False}


def test_without_a_profile_nothing_can_be_kept(page: Any) -> None:
    response = page.send("POST", "/keep", {"keep": True})
    assert response.status_code == 400
    assert "costeer profile init" in response.json()["error"]["message"]
    assert page("POST", "/keep", {"keep": False})["keeps"] is False


def test_forgetting(kept: Any, profile: Any) -> None:
    first, second = kept.new(), kept.new()
    kept("POST", "/keep", {"keep": False})
    third = kept.new()
    kept("DELETE", f"/conversations/{first}")
    assert [one["id"] for one in kept("GET", "/conversations")["conversations"]] == [third, second]
    kept("DELETE", "/conversations")
    assert kept("GET", "/conversations")["conversations"] == []
    assert len(kept("GET", "/records")["records"]) == 4
    assert kept.send("DELETE", f"/conversations/{first}").status_code == 404


@pytest.mark.slow
def test_records_are_chosen_by_the_first_question_and_then_only_appended(kept: Any) -> None:
    number = kept.new()
    kept.ask(number, text="What shall I cook?")
    first = kept.get(number)
    assert reasons(first) == {
        "I am vegan.": "pinned: every preference is read",
        "My dog is called Rex.": "pinned: every fact is read",
    }
    kept.ask(number, text="What does Rex eat?")
    later = kept.get(number)
    assert later["records"][:2] == first["records"]
    assert reasons(later)["Rex eats carrots."] == "matches: rex, eats"


@pytest.mark.slow
@pytest.mark.parametrize("keep", [True, False])
def test_a_record_that_is_unticked_is_not_read(kept: Any, keep: Any) -> None:
    kept("POST", "/keep", {"keep": keep})
    records = {one["text"]: one["id"] for one in kept("GET", "/records")["records"]}
    number = kept.new()
    body = {"text": "What does Rex eat?", "without": [records["Rex eats carrots."]]}
    answer = kept.ask(number, **body)[-1]["message"]
    assert "Rex eats carrots." not in reasons(kept.get(number))
    assert kept("GET", f"/messages/{answer}/ledger")["stayed"]["records"] == 2
    everything_off = {"regenerate": answer, "without": list(records.values())}
    plain = kept.ask(number, **everything_off)
    assert plain[-1]["tokens_changed"] == 0
    assert len(kept.get(number)["records"]) == 2  # they still belong to the conversation


@pytest.mark.slow
@pytest.mark.parametrize("keep", [True, False])
def test_what_is_switched_off_or_removed_is_not_read_any_more(kept: Any, keep: Any) -> None:
    kept("POST", "/keep", {"keep": keep})
    number = kept.new()
    kept.ask(number, text="What shall I cook?")
    one, two = (record["id"] for record in kept.get(number)["records"])
    kept("PATCH", f"/records/{one}", {"active": False})
    assert [record["id"] for record in kept.get(number)["records"]] == [two]
    kept("DELETE", f"/records/{two}")
    assert kept.get(number)["records"] == []
    assert kept.ask(number, text="And then?")[-1]["tokens_changed"] == 0


@pytest.mark.slow
def test_the_preview_shows_what_the_question_then_reads(kept: Any) -> None:
    number = kept.new()
    preview = kept("POST", "/preview", {"conversation": number, "text": "Does my dog Rex eat it?"})
    kept.ask(number, text="Does my dog Rex eat it?")
    assert preview["records"] == kept.get(number)["records"]
    assert preview["left_out"] == []
    new = kept("POST", "/preview", {"conversation": None, "text": "Does my dog Rex eat it?"})
    assert new["records"] == preview["records"]


def test_what_finds_no_room_is_shown_too(kept: Any) -> None:
    kept("POST", "/records", {"kind": "document", "text": "boat " * 1500})
    preview = kept("POST", "/preview", {"text": "Which boat?"})
    assert [one["reason"] for one in preview["left_out"]] == ["left out: no room"]


@pytest.mark.slow
def test_without_a_profile_records_live_in_memory(page: Any) -> None:
    added = page("POST", "/records", {"kind": "preference", "text": "I like jackfruit."})
    number = page.new()
    page.ask(number, text="What shall I cook?")
    assert page.get(number)["records"][0]["id"] == added["id"]
    page("DELETE", f"/records/{added['id']}")
    assert page.get(number)["records"] == []


@pytest.mark.slow
def test_an_answer_that_goes_on_reads_what_it_has_read_so_far(kept: Any) -> None:
    number = kept.new()
    found = kept.ask(number, text="What does Rex eat?")
    kept("POST", "/records", {"kind": "document", "text": "Rex eats turnips."})
    token = tokens_of(found)[2]
    body = {"continue": found[-1]["message"], "position": 2, "token": token["id"]}
    assert text_of(kept.ask(number, **body)) == text_of(found)
    assert len(kept.get(number)["records"]) == 3
    kept.ask(number, regenerate=found[-1]["message"])
    assert len(kept.get(number)["records"]) == 4


@pytest.mark.slow
def test_the_export_holds_what_is_kept_and_what_is_not(kept: Any) -> None:
    stored = kept.new()
    kept.ask(stored, text="Hello?")
    kept("POST", "/keep", {"keep": False})
    kept.ask(kept.new(), text="Nobody keeps this?")
    response = kept.send("GET", "/export")
    assert response.headers["content-disposition"] == 'attachment; filename="costeer.jsonl"'
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["type"] for line in lines] == ["record"] * 4 + ["conversation"] * 2
    assert lines[4]["messages"][1]["trace"]["details"]["tokens"]
    assert lines[5]["title"] == "Nobody keeps this?"


@pytest.mark.slow
def test_conversations_are_there_after_a_restart(tmp_path: Any, profile: Any) -> None:
    from costeer.profile import profiles

    with running_page(tmp_path, profile=profile, text="I am vegan.") as page:
        number = page.new()
        page.ask(number, text="Hello?")
        before = page.get(number)
    with (
        profiles.open_by_secret("default", PASSPHRASE) as again,
        running_page(tmp_path, profile=again, text="I am vegan.") as page,
    ):
        assert page.get(number) == before
        answer = before["messages"][-1]
        token = answer["tokens"][3]
        same = page.ask(number, **{"continue": answer["id"], "position": 3, "token": token["id"]})
        assert text_of(same) == answer["text"]


def test_memory_and_profile_never_share_a_number(profile: Any) -> None:
    storage = Storage(profile)
    kept = storage.create()
    storage.keeps = False
    mine = storage.create()
    question = storage.memory.conversations.add(mine.id, "user", "Hello?")
    assert kept.id < IN_MEMORY < mine.id
    assert IN_MEMORY < question.id < 2**53
    storage.close()
