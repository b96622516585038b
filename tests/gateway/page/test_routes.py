"""Who may do what; and bodies of every kind are answered, never with an error of the server."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.page import running_page

ROUTES = [
    ("GET", "/app/state"),
    ("POST", "/app/keep"),
    ("GET", "/app/conversations"),
    ("POST", "/app/conversations"),
    ("DELETE", "/app/conversations"),
    ("GET", "/app/conversations/1"),
    ("PATCH", "/app/conversations/1"),
    ("DELETE", "/app/conversations/1"),
    ("POST", "/app/conversations/1/switch"),
    ("POST", "/app/conversations/1/ask"),
    ("POST", "/app/preview"),
    ("POST", "/app/exposed"),
    ("POST", "/app/answers/x/strength"),
    ("POST", "/app/answers/x/stop"),
    ("GET", "/app/messages/1/ledger"),
    ("GET", "/app/records"),
    ("POST", "/app/records"),
    ("PATCH", "/app/records/1"),
    ("DELETE", "/app/records/1"),
    ("GET", "/app/export"),
]


def request(page: Any, method: Any, path: Any, token: Any = None, **more: Any) -> Any:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return page.app.client.request(method, path, headers=headers, **more)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_without_a_token_nothing_is_shown(page: Any, method: Any, path: Any) -> None:
    body = {} if method in ("GET", "DELETE") else {"json": {}}
    assert request(page, method, path, **body).status_code == 401
    assert request(page, method, path, "costeer-page-guess", **body).status_code == 401


@pytest.mark.slow
def test_an_application_s_token_does_not_open_the_page(tmp_path: Any) -> None:
    with running_page(tmp_path) as page:
        app, owner = page.app.tokens.add("a", "app"), page.app.tokens.add("me", "owner")
        for method, path in ROUTES:
            body = {} if method in ("GET", "DELETE") else {"json": {}}
            assert request(page, method, path, app, **body).status_code == 403, path
        assert request(page, "GET", "/app/state", owner).status_code == 200
        assert request(page, "GET", "/app/state").status_code == 401
        assert page("GET", "/state")["llm"] == "fake-1"
        page.app.tokens.revoke("me")
        assert request(page, "GET", "/app/state", owner).status_code == 401


def test_other_origins_and_hosts_are_refused(page: Any) -> None:
    for headers in ({"host": "evil.example"}, {"origin": "https://evil.example"}):
        response = page.app.client.get("/app/state", headers=page.headers | headers)
        assert response.status_code in (400, 403)


def test_the_state_says_what_there_is(page: Any) -> None:
    assert page("GET", "/state") == {
        "llm": "fake-1",
        "slm": "fake-2",
        "cloud": None,
        "profile": None,
        "keeps": False,
        "strength": 2.0,
        "strengths": ["off", "gentle", "auto", "strong"],
        "context": True,
    }


def test_what_is_private_is_not_to_be_stored_by_the_browser(page: Any) -> None:
    for path in ("/state", "/conversations", "/records", "/export"):
        assert "no-store" in page.send("GET", path).headers["cache-control"]


NUMBERS = st.sampled_from([0, 1, -1, 2**31, 2**53, 2**63, 2**64, 1e400, 0.5, True])
JSON = st.recursive(
    st.none() | st.text(max_size=5) | NUMBERS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)
NAMES = (
    *("text", "edit", "regenerate", "continue", "position", "token", "strength", "without"),
    *("alone", "keep", "message", "title", "kind", "active", "conversation", "ticket"),
)
BODIES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=4) | JSON


@pytest.mark.slow
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    route=st.sampled_from([one for one in ROUTES if one[0] in ("POST", "PATCH")]),
    body=BODIES.map(json.dumps) | st.text(max_size=20),
    number=st.sampled_from(
        ["real", "real", "0", "99999999999", str(2**63), str(2**70), "-1", "x", "%00"]
    ),
)
def test_any_body_is_answered(page: Any, route: Any, body: Any, number: Any) -> None:
    path = route[1].replace("/1", f"/{page.new() if number == 'real' else number}")
    headers = page.headers | {"content-type": "application/json"}
    response = page.app.client.request(route[0], path, content=body, headers=headers)
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert set(response.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("path", ["/records", "/preview", "/conversations"])
def test_a_huge_body_is_refused(page: Any, path: Any) -> None:
    assert page.send("POST", path, {"text": "x" * (5 << 20)}).status_code == 413


@pytest.mark.parametrize("query", ["limit=x", "offset=-1", "limit=1e9", "offset=99999999999"])
def test_a_query_that_is_no_number_is_refused(page: Any, query: Any) -> None:
    assert page.send("GET", f"/records?{query}").status_code == 400


@pytest.mark.parametrize("number", [2**53, 2**63, 2**70])
def test_numbers_that_no_row_has_are_not_found(page: Any, number: Any) -> None:
    for path in (f"/conversations/{number}", f"/messages/{number}/ledger"):
        assert page.send("GET", path).status_code == 404
    asked = page.send("POST", f"/conversations/{number}/ask", {"text": "Hello?"})
    assert asked.status_code == 404


def test_after_all_that_the_page_still_answers(page: Any) -> None:
    assert page.ask(page.new(), text="Hello?")[-1]["type"] == "end"
