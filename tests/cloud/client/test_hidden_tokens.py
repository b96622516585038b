"""Tokens that a server generates and does not show, without a real llama-server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from costeer.cloud.client.completions import CompletionsClient
from costeer.exceptions import CloudProtocolError
from tests.support.serving import Scripted, events, numbered, reply

MODELS = reply(200, {"data": [{"id": "m", "owned_by": "llamacpp", "meta": {"n_vocab": 99}}]})
ANSWER = [5, 60, 61, 7, 62, 8, 9]  # ids from 60 to 69 are shown only when they are not chosen


def entry(chosen: Any, row: Any) -> Any:
    top = [{"id": token, "logprob": value} for token, value in row.items()]
    return {"id": chosen, "logprob": row.get(chosen, -20.0), "top_logprobs": top}


def chunk(entries: Any, generated: Any, finish: Any = None) -> Any:
    logprobs = {"content": entries} if entries else None
    choice = {"text": "", "logprobs": logprobs, "finish_reason": finish}
    return {"choices": [choice], "timings": {"predicted_n": generated}}


def hiding(asked: Any) -> Any:
    """What llama-server says to a request for the rest of ANSWER."""
    start = len(asked["prompt"]) - 1
    rest = ANSWER[start : start + asked["max_tokens"]]
    rows = [{token: -0.5, 1: -1.5} for token in rest]
    if asked.get("logit_bias"):
        return events(chunk([entry(64, rows[0])], 1), chunk([], 1, "length"))
    shown = [
        chunk([entry(token, row)], count + 1)
        for count, (token, row) in enumerate(zip(rest, rows, strict=True))
        if not 60 <= token < 70
    ]
    return events(*shown, chunk([], len(rest), "length"))


@pytest.fixture
def server() -> Iterator[Any]:
    with Scripted(hiding, models=MODELS) as server:
        yield server


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    client = CompletionsClient(server.url, backoff=0.0)
    yield client
    client.close()


@pytest.mark.parametrize("count", range(1, len(ANSWER) + 1))
def test_a_stream_skips_nothing(client: Any, count: Any) -> None:
    steps = list(client.stream([0], 2, count))
    assert numbered(steps) == ANSWER[:count]
    assert all(step.top_ids.tolist() == [step.token, 1] for step in steps)


def test_hidden_positions_are_asked_for_alone(server: Any, client: Any) -> None:
    list(client.stream([0], 2, 7))
    asked = [(len(body["prompt"]), body["max_tokens"]) for body in server.bodies]
    # each hidden one costs the stream that shows the gap, and one position by itself
    assert asked == [(1, 7), (2, 1), (3, 5), (3, 1), (4, 4), (5, 1), (6, 2)]
    assert [bool(body.get("logit_bias")) for body in server.bodies] == [
        most == 1 for _, most in asked
    ]


def test_one_position_takes_one_request(server: Any, client: Any) -> None:
    assert next(client.stream([0, 5], 2, 1)).token == 60
    assert len(server.bodies) == 1


def test_a_context_that_a_hidden_token_fills_ends_the_stream() -> None:
    card = {"id": "m", "owned_by": "llamacpp", "meta": {"n_vocab": 99, "n_ctx": 3}}
    with Scripted(hiding, models=reply(200, {"data": [card]})) as server:
        client = CompletionsClient(server.url, backoff=0.0)
        assert numbered(client.stream([0], 2, 7)) == ANSWER[:2]
        client.close()


def test_what_stays_hidden_is_an_error() -> None:
    with Scripted(events(chunk([], 1, "length")), models=MODELS) as server:
        client = CompletionsClient(server.url, backoff=0.0)
        for count in (1, 3):
            with pytest.raises(CloudProtocolError):
                list(client.stream([0], 2, count))
        client.close()
