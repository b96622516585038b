"""The profile, edited from the page."""

from collections.abc import Iterator
from typing import Any

import pytest

from costeer.profile.records import LONGEST


def error(response: Any) -> Any:
    return response.status_code, response.json()["error"]["param"]


@pytest.fixture
def record(page: Any) -> Iterator[Any]:
    made = page("POST", "/records", {"kind": "fact", "text": " My dog is\r\ncalled Rex. "})
    yield made
    page.send("DELETE", f"/records/{made['id']}")


def test_a_record_is_added(page: Any, record: Any) -> None:
    assert record["text"] == "My dog is\ncalled Rex."
    assert (record["kind"], record["active"]) == ("fact", True)
    assert page("GET", "/records") == {"records": [record], "total": 1}


def test_the_same_again_is_the_same_record(page: Any, record: Any) -> None:
    again = page("POST", "/records", {"kind": "fact", "text": "My dog is called  Rex."})
    assert again == record


def test_a_record_is_changed(page: Any, record: Any) -> None:
    path = f"/records/{record['id']}"
    assert page("PATCH", path, {"active": False})["active"] is False
    assert page("PATCH", path, {"text": "My cat is called Rex."})["active"] is False
    changed = page("PATCH", path, {"kind": "preference"})
    assert (changed["kind"], changed["text"]) == ("preference", "My cat is called Rex.")
    assert page("PATCH", path, {}) == changed


def test_a_record_is_sent_from_now_on(page: Any, record: Any) -> None:
    assert record["sent"] is False
    path = f"/records/{record['id']}"
    sent = page("PATCH", path, {"sent": True})
    assert (sent["sent"], sent["text"]) == (True, record["text"])
    assert page("PATCH", path, {"active": False})["sent"] is True
    assert page("PATCH", path, {"text": "Keep it short."})["sent"] is True
    assert page("PATCH", path, {"kind": "document"})["sent"] is False
    assert page("PATCH", path, {"kind": "preference", "sent": True})["sent"] is True
    assert page("PATCH", path, {"sent": False})["sent"] is False


def test_a_new_record_can_be_sent(page: Any) -> None:
    body = {"kind": "preference", "text": "Answer in Spanish.", "sent": True}
    made = page("POST", "/records", body)
    assert (made["sent"], made["text"]) == (True, "Answer in Spanish.")
    page("DELETE", f"/records/{made['id']}")


@pytest.mark.parametrize("kind", ["sample", "document"])
def test_what_others_may_have_written_is_never_sent(page: Any, kind: Any) -> None:
    refused = page.send("POST", "/records", {"kind": kind, "text": "All of it.", "sent": True})
    assert error(refused) == (400, "sent")
    made = page("POST", "/records", {"kind": kind, "text": "[send] All of it."})
    assert (made["sent"], made["text"]) == (False, "All of it.")
    page("DELETE", f"/records/{made['id']}")


def test_records_are_searched_also_those_that_are_off(page: Any, record: Any) -> None:
    page("PATCH", f"/records/{record['id']}", {"active": False})
    assert [one["id"] for one in page("GET", "/records?q=dogs")["records"]] == [record["id"]]
    assert page("GET", "/records?q=zebra")["records"] == []
    assert page("GET", "/records?q=%22%27%2A")["records"] == []


def test_records_come_in_pages(page: Any) -> None:
    made = [
        page("POST", "/records", {"kind": "fact", "text": f"Fact {one}"})["id"] for one in range(5)
    ]
    first, second = (page("GET", f"/records?limit=3&offset={start}") for start in (0, 3))
    assert [one["id"] for one in first["records"] + second["records"]] == made
    assert first["total"] == second["total"] == 5
    for one in made:
        page("DELETE", f"/records/{one}")


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({}, "kind"),
        ({"kind": "fact"}, "text"),
        ({"kind": "fact", "text": " \n"}, "text"),
        ({"kind": "fact", "text": 1}, "text"),
        ({"kind": "fact", "text": "x" * (LONGEST + 1)}, "text"),
        ({"kind": "secret", "text": "x"}, "kind"),
        ({"text": "x"}, "kind"),
    ],
)
def test_what_is_no_record_is_refused(page: Any, body: Any, param: Any) -> None:
    assert error(page.send("POST", "/records", body)) == (400, param)


def test_two_records_cannot_become_the_same(page: Any, record: Any) -> None:
    other = page("POST", "/records", {"kind": "fact", "text": "Other"})
    response = page.send("PATCH", f"/records/{other['id']}", {"text": record["text"]})
    assert response.status_code == 400
    assert "same content" in response.json()["error"]["message"]
    page("DELETE", f"/records/{other['id']}")


@pytest.mark.parametrize(("method", "body"), [("PATCH", {"active": True}), ("DELETE", None)])
def test_a_record_that_there_is_not(page: Any, method: Any, body: Any) -> None:
    assert page.send(method, "/records/99", body).status_code == 404


def test_active_is_true_or_false(page: Any, record: Any) -> None:
    assert error(page.send("PATCH", f"/records/{record['id']}", {"active": 1})) == (400, "active")
