"""The judge: its prompts, what it answers, and what goes wrong."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

from costeer.exceptions import CloudRefusedError, ParameterError
from costeer_evals.metrics.judge import Judge, Rating, parse, prompt
from costeer_evals.tasks.base import PastText, Sample

SAMPLE = Sample(
    "1",
    "Write a toast.",
    "unused",
    None,
    group="1",
    profile="Name: Maren",
    history=(PastText("A card", "Dear all."), PastText("A note", "Gone.")),
)


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Good. Rating: [[7]].", 7),
        ("[[3]] at first, but [[10]]", 10),
        ("[[8]] of [[11]] or [[0]]", 8),
        ("Rating: 7", None),
        ("[[7.5]] [[rating]] [[]]", None),
        ("", None),
    ],
)
def test_the_last_rating_counts(text: Any, score: Any) -> None:
    assert parse(text) == score


@pytest.mark.parametrize(
    ("aspect", "words"),
    [
        ("overall", "act as an impartial evaluator and assess the quality"),
        ("personal", "act as an impartial judge an evaluate the AI assistant's response"),
    ],
)
def test_the_prompt(aspect: Any, words: Any) -> None:
    text = prompt(SAMPLE, " Cheers! \n", aspect)
    assert text.startswith("[Instruction]\nPlease act as an impartial") and words in text
    assert '"[[rating]]", for example: "Rating: [[5]]".\n\n' in text
    assert text.endswith(
        "[User Profile and Writing History]\nName: Maren\n\n"
        "Task: A card\nContent: Dear all.\nTask: A note\nContent: Gone.\n\n"
        "[Question]\nWrite a toast.\n\n"
        "[The Start of Assistant's Answer]\nCheers!\n[The End of Assistant's Answer]"
    )


def completion(text: Any) -> Any:
    return httpx2.Response(200, json={"choices": [{"message": {"content": text}}]})


def rate(*answers: Any) -> Any:
    """Rate by a server that gives these answers in turn; the rating and the requests."""
    waiting, requests = list(answers), []

    def answer(request: pytest.FixtureRequest) -> Any:
        requests.append(request)
        following = waiting.pop(0)
        if isinstance(following, Exception):
            raise following
        return following

    with httpx2.Client(transport=httpx2.MockTransport(answer)) as client:
        judge = Judge(
            "http://judge.test/v1/",
            "gpt-4o",
            i_accept_that_it_sees_private_data=True,
            api_key="k",
            wait=0,
            client=client,
        )
        with judge:
            return judge.rate(SAMPLE, "Cheers!", "personal"), requests


def test_a_rating() -> None:
    rating, (request,) = rate(completion("Fine. Rating: [[9]]"))
    assert rating == Rating(9, 1)
    assert str(request.url) == "http://judge.test/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer k"
    body = json.loads(request.content)
    assert body["model"] == "gpt-4o" and body["temperature"] == 0
    (message,) = body["messages"]
    assert message == {"role": "user", "content": prompt(SAMPLE, "Cheers!", "personal")}


@pytest.mark.parametrize(
    "first",
    [
        completion("I would say seven."),
        completion(None),
        httpx2.Response(200, text="<html>"),
        httpx2.Response(200, json=[]),
        httpx2.Response(429),
        httpx2.Response(503),
        httpx2.ConnectError("no"),
        httpx2.ReadTimeout("slow"),
    ],
)
def test_it_asks_again(first: Any) -> None:
    rating, requests = rate(first, completion("[[4]]"))
    assert rating == Rating(4, 2) and len(requests) == 2


def test_four_failures_are_recorded_not_raised() -> None:
    rating, requests = rate(*[completion("no idea")] * 3, httpx2.Response(500))
    assert rating == Rating(None, 4, "status 500") and len(requests) == 4
    rating, _ = rate(*[completion("no idea")] * 4)
    assert rating.failure == "no rating in the answer"


@pytest.mark.parametrize("status", [400, 401, 404])
def test_a_refusal_is_an_error(status: Any) -> None:
    with pytest.raises(CloudRefusedError, match=f"status {status}"):
        rate(httpx2.Response(status))


def test_it_must_be_accepted_that_the_judge_sees_private_data() -> None:
    for given in ({}, {"i_accept_that_it_sees_private_data": 1}):
        with pytest.raises(ParameterError, match="i_accept_that_it_sees_private_data=True"):
            Judge("http://judge.test/v1", "m", **given)


@pytest.mark.slow
def test_it_closes_its_own_connections_only() -> None:
    judge = Judge("http://judge.test/v1", "m", i_accept_that_it_sees_private_data=True)
    judge.close()
    with httpx2.Client() as client:
        Judge(
            "http://judge.test/v1", "m", i_accept_that_it_sees_private_data=True, client=client
        ).close()
        assert not client.is_closed
