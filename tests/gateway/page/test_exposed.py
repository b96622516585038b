"""Before sending: the person's values are named to them alone, and go up only as they decide."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import pytest

from costeer.privacy.guard import Guard
from costeer.privacy.values import Value
from tests.support.canary import Tap, contains
from tests.support.gateway import TextModel
from tests.support.lying import RecitingModel
from tests.support.page import running_page, text_of
from tests.support.serving import running

MAREN = "My name is Maren Okafor. I live in Porto with my dog Biscuit."
QUESTION = "Write a card to Maren and to Zork."


@contextmanager
def tapped(folder: Any, text: Any = MAREN, guard: Any = None, **options: Any) -> Iterator[Any]:
    """A page whose cloud is overheard."""
    guard = guard or Guard("off", [Value("Zork", "name"), Value("Quux", "name", "withheld")])
    with (
        running(TextModel(seed=1)) as server,
        Tap(urlsplit(server.url).port) as tap,
        running_page(
            folder, text=text, cloud=tap.url, url=tap.url, guard=guard, mode="lockstep", **options
        ) as page,
    ):
        page.tap = tap
        yield page


@pytest.fixture(scope="module")
def page(tmp_path_factory: Any) -> Iterator[Any]:
    with tapped(tmp_path_factory.mktemp("exposed")) as opened:
        yield opened


def exposed(page: Any, conversation: Any = None, **body: Any) -> Any:
    found = page("POST", "/exposed", {"conversation": conversation, **body})["exposed"]
    return [(one["text"], one["kind"], one["asked"]) for one in found]


def sent(page: Any, work: Any) -> Any:
    """What went up while ``work`` was done, and what it returned."""
    before = len(page.tap.heard)
    done = work()
    return page.tap.heard[before:], done


def said(page: Any, text: Any) -> Any:
    return page.app.costeer.slm.tokenizer.encode(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("Recommend a dinner spot in Porto.", []),  # a city is open
        ("Write a card to Maren.", [("Maren Okafor", "name", True)]),
        (
            "write to MAREN OKAFOR\r\nand zork",
            [("Zork", "name", True), ("Maren Okafor", "name", True)],
        ),
        ("What did Quux say?", [("Quux", "name", True)]),
        ("Marengo and Zorkian", []),
        ("größer 日本 🙂", []),
        ("Maren " * 20_000, [("Maren Okafor", "name", True)]),
    ],
    ids=["open", "found", "listed", "withheld", "parts", "letters", "long"],
)
def test_the_guards_own_rules_say_what_is_exposed(page: Any, question: Any, found: Any) -> None:
    assert exposed(page, text=question) == found
    preview = page("POST", "/preview", {"text": question})["exposed"]
    assert [(one["text"], one["kind"], one["asked"]) for one in preview] == found


def test_nothing_goes_up_or_is_kept_before_the_person_has_decided(page: Any) -> None:
    number = page.new()
    path = f"/conversations/{number}/ask"
    heard, refused = sent(page, lambda: page.send("POST", path, {"text": QUESTION}))
    assert heard == b""
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "guard_undecided")
    assert not any(name in refused.text for name in ("Maren", "Okafor", "Zork"))
    assert page.get(number)["messages"] == []


@pytest.mark.slow
@pytest.mark.parametrize(("guard", "goes_up"), [("off", True), ("stand-in", False)])
def test_values_go_up_only_as_the_person_decides(page: Any, guard: Any, goes_up: Any) -> None:
    number = page.new()
    heard, found = sent(page, lambda: page.ask(number, text=QUESTION, guard=guard))
    assert found[0]["guard"] == guard
    assert [event["type"] for event in found[:2]] == ["begin", "token"]  # no note for who chose
    for name in ("Maren", "Zork"):
        assert contains(heard, name, said(page, name)) == goes_up
    question, answer = page.get(number)["messages"]
    assert (question["text"], answer["guard"]) == (QUESTION, guard)


@pytest.mark.parametrize("wanted", ["strict", "", "Off", 1, True, ["off"], {}])
def test_another_decision_is_refused(page: Any, wanted: Any) -> None:
    body = {"text": QUESTION, "guard": wanted}
    response = page.send("POST", f"/conversations/{page.new()}/ask", body)
    assert (response.status_code, response.json()["error"]["param"]) == (400, "guard")


@pytest.mark.slow
def test_stand_ins_once_chosen_hold_for_the_rest_of_the_branch(page: Any) -> None:
    number = page.new()
    found = page.ask(number, text=QUESTION, guard="stand-in")
    answer = found[-1]["message"]
    token = next(one for one in page.get(number)["messages"][-1]["tokens"][1]["after"])[0]
    again = [
        {"text": "And one to Okafor?"},
        {"regenerate": answer},
        {"regenerate": answer, "alone": True},
        {"continue": answer, "position": 1, "token": token},
    ]
    for body in again:
        assert exposed(page, number, **body) == []
        heard, events = sent(page, partial(page.ask, number, **body))
        assert events[0]["guard"] == "stand-in"
        for name in ("Maren", "Okafor", "Zork"):
            assert not contains(heard, name, said(page, name)), body


@pytest.mark.slow
def test_an_edited_first_question_is_asked_about_anew(page: Any) -> None:
    number = page.new()
    found = page.ask(number, text=QUESTION, guard="stand-in")
    edit = {"edit": found[0]["question"], "text": "Write to Maren."}
    assert exposed(page, number, **edit) == [("Maren Okafor", "name", True)]


@pytest.mark.slow
def test_an_earlier_turn_counts_and_is_told_from_the_question(page: Any) -> None:
    number = page.new()
    page.ask(number, text="Write to Maren.", guard="off")
    assert exposed(page, number, text="And to Zork.") == [
        ("Zork", "name", True),
        ("Maren Okafor", "name", False),
    ]
    assert exposed(page, text="And to Zork.") == [("Zork", "name", True)]


@pytest.mark.slow
def test_what_continues_an_answer_sends_what_that_answer_sent(page: Any) -> None:
    number = page.new()
    answer = page.ask(number, text="Write to Maren.", guard="off")[-1]["message"]
    token = page.get(number)["messages"][-1]["tokens"][1]["after"][0][0]
    for body in (
        {"continue": answer, "position": 1, "token": token, "guard": "stand-in"},
        {"regenerate": answer, "alone": True},
    ):
        assert page.ask(number, **body)[0]["guard"] == "off"


@pytest.mark.slow
def test_stand_ins_go_up_after_a_restart_too(tmp_path: Any, profile: Any) -> None:
    with tapped(tmp_path / "a", profile=profile) as page:
        number = page.new()
        page.ask(number, text=QUESTION, guard="stand-in")
    with tapped(tmp_path / "b", profile=profile) as page:
        answer = page.get(number)["messages"][-1]["id"]
        for body in ({"text": "And to Okafor?"}, {"regenerate": answer, "alone": True}):
            page.ask(number, **body)
        for name in ("Maren", "Okafor", "Zork"):
            assert not contains(page.tap.heard, name, said(page, name))


@pytest.mark.slow
def test_a_guard_of_all_answers_is_not_lifted_and_nothing_is_asked(tmp_path: Any) -> None:
    with tapped(tmp_path, guard=Guard("stand-in")) as page:
        number = page.new()
        assert exposed(page, text=QUESTION) == []
        assert page.ask(number, text=QUESTION, guard="off")[0]["guard"] == "stand-in"
        assert not contains(page.tap.heard, "Maren", said(page, "Maren"))


def test_where_the_large_model_is_on_this_device_nothing_is_asked(tmp_path: Any) -> None:
    with running_page(tmp_path, text=MAREN) as page:
        assert exposed(page, text=QUESTION) == []
        events = page.ask(page.new(), text=QUESTION)
    assert events[1]["type"] == "token"


def test_a_question_without_a_conversation_needs_a_text(page: Any) -> None:
    for body, status in (
        ({"regenerate": 1}, 400),
        ({"conversation": 1, "text": "a"}, 404),
        ({"conversation": "x", "text": "a"}, 400),
        ({}, 400),
    ):
        assert page.send("POST", "/exposed", body).status_code == status, body


REAL = ("Maren Okafor", "Biscuit")
OTHER = ("Ilka Tanaka", "Pixelle")


def conversation(folder: Any, names: Any, guard: Any) -> Any:
    """What a conversation sends whose values are these."""
    who, pet = names
    first = who.split()[0]
    listed = Guard("off", [Value(who, "name")], random.Random(7))
    text = f"My name is {who}. I live in Porto with my dog {pet}."
    with tapped(folder, text=text, guard=listed, slm=RecitingModel(), temperature=0.0) as page:
        number = page.new()
        answer = page.ask(number, text=f"Who is {first}?", guard=guard)[-1]["message"]
        page.ask(number, text=f"And {pet}, {who.upper()}'s dog?", guard=guard)
        page.ask(number, regenerate=answer, alone=True)
        edit = page.get(number)["messages"][0]["id"]
        edited = page.ask(number, edit=edit, text=f"Greet {first}!", guard=guard)
        assert text_of(edited)
        return re.sub(rb"(cmpl-[0-9a-f]+|127\.0\.0\.1:\d+)", b"", page.tap.heard)


@pytest.mark.slow
def test_with_stand_ins_no_byte_depends_on_the_values(tmp_path: Any) -> None:
    real, other = (conversation(tmp_path / names[1], names, "stand-in") for names in (REAL, OTHER))
    assert len(real) > 1000
    assert real == other


@pytest.mark.slow
def test_as_it_is_they_do(tmp_path: Any) -> None:
    """What the test above rests on."""
    real, other = (conversation(tmp_path / names[1], names, "off") for names in (REAL, OTHER))
    assert real != other
