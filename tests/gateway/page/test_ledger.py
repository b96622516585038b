"""What left the device for an answer, byte for byte, against what a listener on the way heard."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.canary import Tap
from tests.support.gateway import TextModel
from tests.support.page import running_page
from tests.support.serving import running

PRIVATE = "My kitchen holds a Kanarienvogel."


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with running(TextModel(seed=1)) as app:
        yield app


@pytest.fixture
def far(server: Any, tmp_path: Any) -> Iterator[Any]:
    """A page whose LLM is elsewhere, and what is heard on the way."""
    with (
        Tap(urlsplit(server.url).port) as tap,
        running_page(tmp_path, cloud=tap.url, url=tap.url, text=PRIVATE) as page,
    ):
        yield page, tap


@pytest.mark.slow
def test_every_request_of_an_answer_is_kept_as_it_was_sent(far: Any) -> None:
    page, tap = far
    number = page.new()
    answer = page.ask(number, text="Hello?")[-1]
    shown = page("GET", f"/messages/{answer['message']}/ledger")
    left = shown["departures"]
    assert len(left) > 1  # the first request, and corrections
    for one in left:
        assert one["body"].encode() in tap.heard
        assert one["destination"] == f"{tap.url}/v1/completions"
        assert one["when"].startswith("20")
    assert sum(one["bytes_up"] for one in left) == answer["bytes_up"]
    assert sum(one["bytes_down"] for one in left) == answer["bytes_down"]
    assert "Hello?" in left[0]["text"]
    assert page.app.costeer.ledger.totals.bytes_up == len(tap.heard)


@pytest.mark.slow
def test_what_stayed_is_counted_and_is_not_in_what_left(far: Any) -> None:
    page, tap = far
    number = page.new()
    answer = page.ask(number, text="Hello?")[-1]["message"]
    shown = page("GET", f"/messages/{answer}/ledger")
    assert shown["stayed"] == {"records": 0, "characters": len(PRIVATE)}
    assert shown["changed"] == sum(
        token["changed"] for token in page.get(number)["messages"][-1]["tokens"]
    )
    assert "Kanarienvogel" not in json.dumps(shown)
    assert b"Kanarienvogel" not in tap.heard
    off = page.ask(number, regenerate=answer, strength="off")[-1]["message"]
    assert page("GET", f"/messages/{off}/ledger")["stayed"] == {"records": 0, "characters": 0}


@pytest.mark.slow
def test_what_left_for_a_question_that_was_stopped_stays_with_the_question(
    server: Any, tmp_path: Any
) -> None:
    from tests.support.gateway import GatedModel

    slm = GatedModel(seed=2)
    with running_page(
        tmp_path, cloud=server.url, url=server.url, slm=slm, text=PRIVATE, lanes=1
    ) as page:
        slm.gate.clear()
        with page.asking(page.new(), text="Hello?") as found:
            begun = next(found)
            page("POST", f"/answers/{begun['answer']}/stop", {})
            slm.gate.set()
            ended = list(found)[-1]
        shown = page("GET", f"/messages/{begun['question']}/ledger")
    assert ended["message"] is None
    assert sum(one["bytes_up"] for one in shown["departures"]) == ended["bytes_up"]


def test_in_this_process_nothing_leaves(page: Any) -> None:
    answer = page.ask(page.new(), text="Hello?")[-1]
    assert answer["bytes_up"] == 0
    assert page("GET", f"/messages/{answer['message']}/ledger")["departures"] == []


def test_a_message_that_there_is_not(page: Any) -> None:
    assert page.send("GET", "/messages/1/ledger").status_code == 404


@pytest.mark.slow
@pytest.mark.parametrize("removed", [False, True])
def test_what_an_answer_beside_it_sends_is_in_the_ledger_of_the_answer(
    far: Any, removed: Any
) -> None:
    page, tap = far
    number = page.new()
    answer = page.ask(number, text="Hello?")[-1]["message"]
    before = page("GET", f"/messages/{answer}/ledger")["departures"]
    with page.asking(number, regenerate=answer, alone=True) as found:
        if removed:
            next(found)
            page("DELETE", f"/conversations/{number}")
        end = list(found)[-1]
    assert end["type"] == "end"
    if not removed:
        left = page("GET", f"/messages/{answer}/ledger")["departures"]
        assert left[: len(before)] == before
        assert sum(one["bytes_up"] for one in left[len(before) :]) == end["bytes_up"] > 0
        assert left[-1]["body"].encode() in tap.heard


def test_where_nothing_is_kept_an_answer_beside_a_kept_one_writes_nothing(
    server: Any, tmp_path: Any, profile: Any
) -> None:
    with running_page(tmp_path, profile, cloud=server.url, url=server.url) as page:
        number = page.new()
        answer = page.ask(number, text="Hello?")[-1]["message"]
        before = page("GET", f"/messages/{answer}/ledger")
        page("POST", "/keep", {"keep": False})
        assert page.ask(number, regenerate=answer, alone=True)[-1]["bytes_up"] > 0
        assert page("GET", f"/messages/{answer}/ledger") == before
