"""Private text shows where the person asked for it, and nowhere else."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.profile import profiles
from tests.support.canary import Tap, contains
from tests.support.gateway import HELLO, TextModel, post
from tests.support.page import running_page
from tests.support.serving import running

CANARY = "Kanarienvogel-7919-ß"
FORMS = (CANARY, json.dumps(CANARY)[1:-1], "Kanarienvogel-7919")


def assert_clean(text: Any, where: Any) -> None:
    for form in FORMS:
        assert form not in text, where


@pytest.fixture
def everything(tmp_path: Any, profile: Any, caplog: Any, capfd: Any) -> Iterator[Any]:
    """A page whose profile and context hold canaries, used in every way; with what was heard."""
    caplog.set_level(logging.DEBUG)
    with (
        running(TextModel(seed=1)) as server,
        Tap(urlsplit(server.url).port) as tap,
        running_page(
            tmp_path, profile=profile, cloud=tap.url, url=tap.url, text=f"I own a {CANARY}."
        ) as page,
    ):
        page("POST", "/records", {"kind": "fact", "text": f"My bird is a {CANARY}."})
        yield page, tap


@pytest.mark.slow
def test_nothing_private_goes_up_or_into_logs(everything: Any, caplog: Any, capfd: Any) -> None:
    page, tap = everything
    number = page.new()
    answer = page.ask(number, text="What do I own?")[-1]["message"]
    token = page.get(number)["messages"][-1]["tokens"][1]["after"][-1][0]
    page.ask(number, **{"continue": answer, "position": 1, "token": token})
    page.ask(number, regenerate=answer, alone=True)
    page("POST", "/preview", {"conversation": number, "text": "What do I own?"})
    ids = page.app.costeer.slm.tokenizer.encode(CANARY)
    assert len(tap.heard) > 1000
    assert not contains(tap.heard, CANARY, ids)
    assert_clean(json.dumps(page("GET", f"/messages/{answer}/ledger")), "the ledger")
    assert_clean(caplog.text + "".join(capfd.readouterr()), "the logs")


@pytest.mark.slow
def test_errors_do_not_quote(everything: Any, caplog: Any, capfd: Any) -> None:
    page, _ = everything
    number = page.new()
    bodies = [
        {"text": CANARY, "strength": CANARY},
        {"text": {"a": CANARY}},
        {"text": CANARY, "without": [CANARY]},
        {"edit": CANARY, "text": CANARY},
        {"kind": CANARY, "text": CANARY, "alone": 1},
        {"title": [CANARY]},
        {"keep": CANARY},
        {"message": CANARY},
        {"ticket": CANARY},
        [CANARY],
        {"text": CANARY + "x" * 6000},
    ]
    paths = [
        f"/conversations/{number}/ask",
        f"/conversations/{number}/switch",
        "/records",
        "/keep",
        "/session",
        "/answers/none/strength",
    ]
    for path in paths:
        for body in bodies:
            response = page.send("POST", path, body)
            assert response.status_code >= 400, (path, body)
            assert_clean(response.text + str(response.headers.raw), path)
    assert_clean(caplog.text + "".join(capfd.readouterr()), "the logs")


@pytest.mark.slow
def test_applications_see_nothing_of_it(everything: Any) -> None:
    page, _ = everything
    page.ask(page.new(), text="What do I own?")
    token = page.app.tokens.add("a", "app")
    for path in ("/", "/static/none", "/health", "/v1/models", "/app/state", "/app/records"):
        response = page.app.client.get(path, headers={"authorization": f"Bearer {token}"})
        assert_clean(response.text, path)
    assert_clean(post(page.app, HELLO, token=token).text, "an answer")


@pytest.mark.slow
def test_it_is_shown_where_the_person_asks_for_it(everything: Any) -> None:
    page, _ = everything
    number = page.new()
    page.ask(number, text="What do I own?")
    preview = page("POST", "/preview", {"text": "What do I own?"})
    for shown in (page.get(number), page("GET", "/records"), preview):
        assert CANARY in json.dumps(shown, ensure_ascii=False)
    assert CANARY in page.send("GET", "/export").text


@pytest.mark.slow
def test_the_profile_s_files_hold_no_word_of_it(everything: Any, tmp_path: Any) -> None:
    page, _ = everything
    page.ask(page.new(), text=f"Tell me about my {CANARY}.")
    files = [path for path in profiles.home().rglob("*") if path.is_file()]
    assert any(path.suffix == ".db" for path in files)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert b"Kanarienvogel" not in path.read_bytes(), path


def test_objects_do_not_show_what_they_hold() -> None:
    from costeer.gateway.page.asked import parse
    from costeer.gateway.page.plans import Place, Reading

    for one in (parse({"text": CANARY}), Place([], CANARY), Reading(context=CANARY)):
        assert_clean(repr(one), type(one))
