"""Questions, edits, other answers, going on from another word: what is sent and what is kept."""

from typing import Any

import pytest

from costeer.cloud.in_process import InProcess
from costeer.decoding.steering import log_softmax
from costeer.gateway.page.asking import title
from costeer.privacy.budget import Budget
from costeer.privacy.odometer import Odometer
from costeer.privacy.spent_file import SpentFile
from tests.support.gateway import TextModel
from tests.support.page import running_page, text_of, tokens_of


def texts(conversation: Any) -> Any:
    return [message["text"] for message in conversation["messages"]]


def error(response: Any) -> Any:
    return response.status_code, response.json()["error"]["param"] or response.json()["error"][
        "code"
    ]


@pytest.fixture(scope="module")
def answered(page: Any) -> Any:
    """The same for tests that change nothing."""
    number = page.new()
    return number, page.ask(number, text="What shall I eat?")


@pytest.fixture
def talk(page: Any) -> Any:
    """A conversation with one answer: its number and the events."""
    number = page.new()
    return number, page.ask(number, text="What shall I eat?")


def test_an_answer_is_streamed_and_kept(page: Any, answered: Any) -> None:
    number, found = answered
    assert [event["type"] for event in found] == ["begin", *["token"] * 8, "end"]
    question, answer = page.get(number)["messages"]
    assert (question["id"], answer["id"]) == (found[0]["question"], found[-1]["message"])
    assert (question["role"], question["text"]) == ("user", "What shall I eat?")
    assert (answer["role"], answer["text"], answer["parent"]) == (
        "assistant",
        text_of(found),
        question["id"],
    )
    assert answer["html"] == found[-1]["html"]
    assert [{"type": "token", **token} for token in answer["tokens"]] == tokens_of(found)
    assert answer["strength"] == "2.0"
    assert answer["finish_reason"] == found[-1]["finish_reason"] == "length"
    assert found[-1]["tokens_changed"] == sum(token["changed"] for token in answer["tokens"]) > 0


@pytest.mark.slow
def test_a_conversation_is_named_after_its_first_question(page: Any, talk: Any) -> None:
    number, _ = talk
    page.ask(number, text="And to drink?")
    assert page.get(number)["title"] == "What shall I eat?"
    page("PATCH", f"/conversations/{number}", {"title": "Dinner"})
    assert page.get(number)["title"] == "Dinner"
    assert page("GET", "/conversations")["conversations"][0]["title"] == "Dinner"


@pytest.mark.parametrize(
    ("text", "name"), [("a\n b", "a b"), ("x" * 60, "x" * 60), ("x" * 61, "x" * 59 + "…")]
)
def test_a_title_is_one_short_line(text: Any, name: Any) -> None:
    assert title(text) == name


@pytest.mark.slow
def test_the_next_question_goes_with_what_was_said(page: Any, talk: Any) -> None:
    number, found = talk
    page.ask(number, text="And to drink?")
    again = page.new()
    page.ask(again, text="And to drink?")
    first, second = page.get(number)["messages"][-1], page.get(again)["messages"][-1]
    assert first["text"] != second["text"]
    assert texts(page.get(number))[:3] == ["What shall I eat?", text_of(found), "And to drink?"]


@pytest.mark.slow
def test_an_edited_question_begins_a_branch(page: Any, talk: Any) -> None:
    number, found = talk
    page.ask(number, edit=found[0]["question"], text="What shall I cook?")
    edited = page.get(number)["messages"]
    assert edited[0]["text"] == "What shall I cook?"
    assert edited[0]["siblings"] == [found[0]["question"], edited[0]["id"]]
    assert len(edited) == 2
    shown = page("POST", f"/conversations/{number}/switch", {"message": found[0]["question"]})
    assert texts(shown) == ["What shall I eat?", text_of(found)]
    assert texts(page.get(number)) == texts(shown)


@pytest.mark.slow
def test_another_answer_is_a_sibling_and_another_text(page: Any, talk: Any) -> None:
    number, found = talk
    old = found[-1]["message"]
    answers = {text_of(page.ask(number, regenerate=old)) for _ in range(3)}
    assert answers != {text_of(found)}
    question, answer = page.get(number)["messages"]
    assert question["id"] == found[0]["question"]
    assert len(answer["siblings"]) == 4


@pytest.mark.slow
def test_another_strength_is_the_only_difference_where_it_is_asked_for(
    page: Any, talk: Any
) -> None:
    number, found = talk
    off = page.ask(number, regenerate=found[-1]["message"], strength="off")
    assert off[-1]["tokens_changed"] == 0
    assert {token["shift"] for token in tokens_of(off)} == {None}
    assert text_of(page.ask(number, regenerate=off[-1]["message"], strength=2.0)) == text_of(found)


@pytest.mark.parametrize("position", [0, 3, 6])
def test_going_on_from_another_word(page: Any, talk: Any, position: Any) -> None:
    number, found = talk
    old = tokens_of(found)
    other = next(one[0] for one in old[position]["after"] if one[0] != old[position]["id"])
    new = page.ask(
        number, **{"continue": found[-1]["message"], "position": position, "token": other}
    )
    tokens = tokens_of(new)
    assert [token["i"] for token in tokens] == list(range(len(tokens)))
    assert tokens[:position] == old[:position]
    assert (tokens[position]["id"], tokens[position]["text"]) == (other, chr(other))
    assert tokens[position]["after"] == old[position]["after"]
    kept = page.get(number)["messages"][-1]
    assert kept["id"] == new[-1]["message"]
    assert kept["text"] == text_of(new)
    assert kept["text"].startswith(text_of(found)[:position] + chr(other))
    assert kept["siblings"] == [found[-1]["message"], kept["id"]]
    assert [{"type": "token", **token} for token in kept["tokens"]] == tokens


def test_going_on_from_the_word_that_was_there_gives_the_same_answer(page: Any, talk: Any) -> None:
    number, found = talk
    token = tokens_of(found)[4]
    same = page.ask(
        number, **{"continue": found[-1]["message"], "position": 4, "token": token["id"]}
    )
    assert text_of(same) == text_of(found)


@pytest.mark.slow
def test_going_on_from_an_answer_that_goes_on(page: Any, talk: Any) -> None:
    number, found = talk
    answer, expected = found[-1]["message"], text_of(found)
    for position in (5, 3):
        token = tokens_of(found)[position]
        other = next(one[0] for one in token["after"] if one[0] != token["id"])
        found = page.ask(number, **{"continue": answer, "position": position, "token": other})
        assert text_of(found).startswith(expected[:position] + chr(other))
        answer, expected = found[-1]["message"], text_of(found)


class EndingModel(TextModel):
    """Would end its answers at every token, and never does so first."""

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        best = row.max()
        row[257] = best - 0.1
        return log_softmax(row)


@pytest.mark.slow
@pytest.mark.parametrize("position", [0, 4])
def test_an_answer_can_be_ended_at_any_word(tmp_path: Any, position: Any) -> None:
    cloud = InProcess(EndingModel(seed=1))
    with running_page(tmp_path, cloud=cloud, slm=EndingModel(seed=2), strength="off") as page:
        number = page.new()
        found = page.ask(number, text="Hello?")
        assert "<|end|>" in [one[1] for one in tokens_of(found)[position]["after"]]
        body = {"continue": found[-1]["message"], "position": position, "token": 257}
        ended = page.ask(number, **body)
        kept = page.get(number)["messages"][-1]
    assert text_of(ended) == text_of(found)[:position]
    assert ended[-1]["finish_reason"] == "stop"
    assert [token["end"] for token in tokens_of(ended)] == [False] * position + [True]
    if position:
        assert (kept["id"], kept["text"]) == (ended[-1]["message"], text_of(ended))
    else:  # an answer without a word is none
        assert (kept["id"], ended[-1]["message"]) == (found[-1]["message"], None)


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"position": 8}, "position"),
        ({"position": -1}, "position"),
        ({"position": None}, "position"),
        ({"token": None}, "token"),
        ({"token": 319}, "token"),
        ({"token": 2**40}, "token"),
        ({"token": True}, "token"),
        ({"continue": 1}, "not_found"),
        ({"regenerate": 1}, "continue"),
        ({"strength": "much"}, "strength"),
        ({"without": "all"}, "without"),
        ({"alone": 1}, "alone"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused(
    page: Any, answered: Any, change: Any, param: Any
) -> None:
    number, found = answered
    before = page.get(number)
    body = {"continue": found[-1]["message"], "position": 1, "token": tokens_of(found)[1]["id"]}
    response = page.send("POST", f"/conversations/{number}/ask", body | change)
    assert error(response)[1] == param
    assert response.status_code in (400, 404)
    assert page.get(number) == before


def test_an_answer_cannot_be_edited_nor_a_question_regenerated(page: Any, answered: Any) -> None:
    number, found = answered
    question, answer = found[0]["question"], found[-1]["message"]
    path = f"/conversations/{number}/ask"
    assert error(page.send("POST", path, {"edit": answer, "text": "x"})) == (400, "edit")
    assert error(page.send("POST", path, {"regenerate": question})) == (400, "regenerate")
    other = f"/conversations/{page.new()}/ask"
    assert error(page.send("POST", other, {"regenerate": answer})) == (404, "not_found")
    switch = f"/conversations/{page.new()}/switch"
    assert error(page.send("POST", switch, {"message": answer})) == (404, "not_found")


@pytest.mark.parametrize("text", [None, "", " \n", 3, [], "x" * 400_001])
def test_a_question_needs_text(page: Any, text: Any) -> None:
    number = page.new()
    response = page.send("POST", f"/conversations/{number}/ask", {"text": text})
    assert error(response) == (400, "text")
    assert page.get(number)["messages"] == []


def test_a_question_that_does_not_fit_is_refused_and_leaves_no_trace(page: Any) -> None:
    number = page.new()
    response = page.send("POST", f"/conversations/{number}/ask", {"text": "x" * 5000})
    assert response.status_code == 400
    assert "room" in response.json()["error"]["message"]
    assert page.get(number)["messages"] == []
    assert page.get(number)["title"] == ""


@pytest.mark.slow
def test_the_llm_alone_beside_it_stores_nothing(page: Any, answered: Any) -> None:
    number, found = answered
    before = page.get(number)
    alone = page.ask(number, regenerate=found[-1]["message"], alone=True)
    assert alone[-1]["message"] is None
    assert alone[-1]["tokens_changed"] == 0
    assert text_of(alone) != text_of(found)
    assert {token["shift"] for token in tokens_of(alone)} == {None}
    assert page.get(number) == before
    new = page.ask(page.new(), text="What shall I eat?", alone=True)
    assert text_of(new) == text_of(alone)
    assert new[0]["question"] is None


@pytest.mark.parametrize("text", ["größer 日本 🙂", "a\r\nb", "\x00", "<|end|>"])
def test_questions_of_any_letters(page: Any, text: Any) -> None:
    number = page.new()
    assert page.ask(number, text=text + "?")[-1]["type"] == "end"
    assert len(page.get(number)["messages"]) == 2


@pytest.mark.slow
def test_the_context_steers(tmp_path: Any) -> None:
    answers = []
    for text in ("", "I am vegan.", "I am old."):
        with running_page(tmp_path / str(len(answers)), text=text) as page:
            answers.append(text_of(page.ask(page.new(), text="Hello?")))
    assert len(set(answers)) == 3


@pytest.mark.slow
def test_a_context_that_is_cut_is_said(tmp_path: Any) -> None:
    text = "\n\n".join(f"I own {number} books." for number in range(400))
    with running_page(tmp_path, text=text) as page:
        found = page.ask(page.new(), text="Hello?")
    assert found[1]["type"] == "note"
    assert "too long" in found[1]["text"]


@pytest.mark.slow
def test_under_a_cap_answers_are_drawn_spend_and_do_not_go_on_from_chosen_words(
    tmp_path: Any,
) -> None:
    budget = Budget(50.0, Odometer(SpentFile(tmp_path)))
    cap = {"epsilon": budget, "lanes": 1, "temperature": 1.0}
    with running_page(tmp_path, text="I am vegan.", **cap) as page:
        number = page.new()
        assert page.ask(number, text="Hello?")[-1]["type"] == "end"
        spent = budget.odometer.high
        answer = page.get(number)["messages"][-1]
        assert page.ask(number, regenerate=answer["id"])[-1]["type"] == "end"
        token = answer["tokens"][0]["id"]
        chosen = {"continue": answer["id"], "position": 0, "token": token}
        refused = page.send("POST", f"/conversations/{number}/ask", chosen)
        alone = page.ask(number, text="Hello?", alone=True)
    assert spent != 0
    assert budget.odometer.high != spent
    assert abs(budget.odometer.high) <= 50
    assert refused.status_code == 400
    assert "every token is drawn" in refused.json()["error"]["message"]
    assert alone[-1]["type"] == "end"
