"""Chat completions: whole and streamed are the same answer, in OpenAI's form."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer.edge.answer import Beginning
from tests.support.gateway import CHAT, HELLO, TextModel, post, running_gateway, streamed, text_of

TOKENIZER = TextModel().tokenizer


@pytest.mark.slow
def test_whole_and_streamed_are_the_same_answer(gateway: Any) -> None:
    whole = post(gateway, HELLO).json()
    chunks = streamed(gateway, HELLO | {"stream_options": {"include_usage": True}})
    (choice,) = whole["choices"]
    assert choice["message"]["content"] == text_of(chunks) != ""
    assert choice["finish_reason"] == chunks[-2]["choices"][0]["finish_reason"] == "length"
    assert whole["usage"] == chunks[-1]["usage"]
    assert whole["usage"]["completion_tokens"] == 8
    assert len({chunk["id"] for chunk in chunks}) == 1
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert {(chunk["model"], bool(chunk["created"])) for chunk in chunks} == {("costeer", True)}
    assert chunks[0]["choices"][0]["delta"] == {"role": "assistant", "content": ""}
    assert chunks[-2]["choices"][0]["delta"] == {}
    assert chunks[-1]["choices"] == []


def test_the_usage_comes_only_when_asked_for(gateway: Any) -> None:
    chunks = streamed(gateway, HELLO)
    assert all(chunk["choices"] for chunk in chunks)
    assert all("usage" not in chunk for chunk in chunks)


@pytest.mark.slow
def test_the_answer_is_that_of_the_library(gateway: Any) -> None:
    expected = gateway.costeer.generate("Hello?", "I am vegan.", max_tokens=8)
    other = gateway.costeer.generate("Hello?", "I am vegan.\n\nI like cats.", max_tokens=8)
    alone = gateway.costeer.generate("Hello?", max_tokens=8)
    mine = HELLO | {"costeer": {"context": "I like cats."}}
    off = HELLO | {"model": "costeer/off"}
    texts = [
        post(gateway, b).json()["choices"][0]["message"]["content"] for b in (HELLO, mine, off)
    ]
    assert texts == [expected.text, other.text, alone.text]
    assert len(set(texts)) == 3


@pytest.mark.slow
def test_without_a_limit_the_answer_ends_by_itself_or_where_the_room_ends(tmp_path: Path) -> None:
    room = {"context_length": 300}
    with running_gateway(tmp_path, slm=TextModel(seed=2, **room)) as app:
        body = {key: value for key, value in HELLO.items() if key != "max_tokens"}
        long = post(app, body).json()
        much = post(app, body | {"max_tokens": 100_000}).json()
    assert long["choices"] == much["choices"]
    assert long["usage"]["completion_tokens"] > 8


@pytest.mark.slow
def test_stop_texts_and_seeds(gateway: Any) -> None:
    whole = post(gateway, HELLO).json()["choices"][0]["message"]["content"]
    cut = post(gateway, HELLO | {"stop": whole[3:5]}).json()["choices"][0]
    assert cut["message"]["content"] == whole[:3]
    assert cut["finish_reason"] == "stop"
    hot = HELLO | {"temperature": 2, "max_tokens": 20}
    texts = [
        post(gateway, hot | seed).json()["choices"][0]["message"]["content"]
        for seed in ({"seed": 1}, {"seed": 1}, {"seed": 2}, {}, {})
    ]
    assert texts[0] == texts[1]
    assert len(set(texts)) == 4


@pytest.mark.parametrize("stream", [False, True])
def test_log_probabilities_spell_the_text(gateway: Any, stream: Any) -> None:
    body = HELLO | {"logprobs": True, "top_logprobs": 3}
    if stream:
        chunks = streamed(gateway, body)
        text = text_of(chunks)
        choices = [choice for chunk in chunks for choice in chunk["choices"]]
        entries = [one for c in choices if c["logprobs"] for one in c["logprobs"]["content"]]
    else:
        (choice,) = post(gateway, body).json()["choices"]
        text, entries = choice["message"]["content"], choice["logprobs"]["content"]
    assert bytes(byte for one in entries for byte in one["bytes"]).decode() == text
    for one in entries:
        assert len(one["top_logprobs"]) == 3
        values = [other["logprob"] for other in one["top_logprobs"]]
        assert values == sorted(values, reverse=True)
        assert one["logprob"] == values[0] <= 0  # greedy


@pytest.mark.slow
def test_a_trace_says_what_happened_at_each_token(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        token = app.tokens.add("me", "owner")
        body = HELLO | {"costeer": {"trace": True}}
        made = post(app, body, token=token).json()
        chunks = streamed(app, body, authorization=f"Bearer {token}")
    traces = made["costeer"]["trace"]
    assert [one["position"] for one in traces] == list(range(8))
    assert [chunk["costeer"] for chunk in chunks if "costeer" in chunk] == traces
    assert "".join(one["chosen"]["token"] for one in traces) == text_of(chunks)
    for one in traces:
        assert one["strength"] == 2.0
        assert one["changed"] == (one["llm"][0]["token"] != one["chosen"]["token"])
        assert one["chosen"]["after_at_least"] <= one["chosen"]["after_at_most"]
        assert len(one["llm"]) == len(one["steered"]) == 10


@pytest.mark.slow
def test_the_owner_goes_on_from_any_token_with_another_one(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        token = app.tokens.add("me", "owner")

        def asked(**own: Any) -> dict[str, Any]:
            return HELLO | {"costeer": own}

        def rest(*beginning: int) -> str:
            made = post(app, asked(beginning=beginning), token=token).json()
            text: str = made["choices"][0]["message"]["content"]
            return text

        traced = post(app, asked(trace=True), token=token).json()
        steps = traced["costeer"]["trace"]
        ids = [one["chosen"]["token_id"] for one in steps]
        other = next(c for c in steps[4]["steered"] if c["token_id"] != ids[4])

        whole = traced["choices"][0]["message"]["content"]
        assert whole == whole[:4] + rest(*ids[:4])
        changed = rest(*ids[:4], other["token_id"])
        begun = Beginning((*ids[:4], other["token_id"]))
        expected = app.costeer.generate("Hello?", "I am vegan.", max_tokens=8, beginning=begun)
        assert whole[:4] + other["token"] + changed == expected.text
        assert changed != whole[5:]
        for wrong in (10**9, -1, 257):  # 257 ends a text
            response = post(app, asked(beginning=[wrong]), token=token)
            assert response.json()["error"]["param"] == "costeer.beginning"
        long = post(app, asked(beginning=ids * 1000), token=token)
        assert (long.status_code, long.json()["error"]["code"]) == (400, "invalid_request")
        assert post(app, asked(beginning=ids)).status_code == 401


@pytest.mark.slow
def test_models(gateway: Any) -> None:
    listed = gateway.client.get("/v1/models").json()
    ids = [one["id"] for one in listed["data"]]
    assert ids == ["costeer", "costeer/off", "costeer/gentle", "costeer/strong", "gpt-5"]
    for one in listed["data"]:
        assert one.keys() == {"id", "object", "created", "owned_by"}
        assert gateway.client.get(f"/v1/models/{one['id']}").json() == one
        assert post(gateway, HELLO | {"model": one["id"]}).json()["model"] == one["id"]
    assert gateway.client.get("/v1/models/gpt-4").status_code == 404


def test_models_and_health_never_ask_the_cloud(gateway: Any) -> None:
    before = gateway.costeer.ledger.totals
    for path in ("/v1/models", "/v1/models/costeer", "/health", "/metrics", "/nothing"):
        gateway.client.get(path)
    assert gateway.costeer.ledger.totals == before


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/chat/completions", 404),
        ("POST", "//v1/chat/completions", 404),
        ("POST", "/v1/chat/completions/", 404),
        ("POST", "/v1/completions", 404),
        ("GET", CHAT, 405),
        ("DELETE", "/v1/models", 405),
        ("GET", "/metrics", 404),
    ],
)
def test_every_error_is_in_the_envelope(gateway: Any, method: Any, path: Any, status: Any) -> None:
    response = gateway.client.request(method, path, json=HELLO if method == "POST" else None)
    assert response.status_code == status
    assert response.json()["error"].keys() == {"message", "type", "param", "code"}
    if status == 404:
        assert "/v1/chat/completions" in response.json()["error"]["message"]


@pytest.mark.parametrize("content", ["", "   ", "\n"])
def test_an_empty_question_is_a_400(gateway: Any, content: Any) -> None:
    body = HELLO | {"messages": [{"role": "user", "content": content}]}
    for stream in (False, True):
        response = post(gateway, body | {"stream": stream})
        assert (response.status_code, response.json()["error"]["param"]) == (400, "messages")


def test_a_question_that_does_not_fit_is_a_400(gateway: Any) -> None:
    body = HELLO | {"messages": [{"role": "user", "content": "x" * 5000}]}
    assert post(gateway, body | {"stream": True}).status_code == 400


@pytest.mark.slow
def test_a_body_that_is_too_large_is_a_413(gateway: Any) -> None:
    body = HELLO | {"messages": [{"role": "user", "content": "x" * (9 << 20)}]}
    assert post(gateway, body).status_code == 413


@pytest.mark.slow
def test_profiles_are_model_ids(tmp_path: Path) -> None:
    named = {"work": lambda messages: f"I like {messages[-1]['content']}"}
    with running_gateway(tmp_path, named=named) as app:
        made = post(app, HELLO | {"model": "costeer/work"}).json()
        same = post(app, HELLO | {"costeer": {"profile": "work"}}).json()
        expected = app.costeer.generate("Hello?", "I like Hello?", max_tokens=8)
    assert made["choices"] == same["choices"]
    assert made["choices"][0]["message"]["content"] == expected.text


@pytest.mark.slow
def test_metrics_count_and_say_nothing_else(tmp_path: Path) -> None:
    with running_gateway(tmp_path, metrics=True) as app:
        post(app, HELLO)
        streamed(app, HELLO)
        post(app, HELLO | {"n": 2})
        text = app.client.get("/metrics").text
    assert 'costeer_requests_total{path="/v1/chat/completions",status="200"} 2' in text
    assert 'costeer_requests_total{path="/v1/chat/completions",status="400"} 1' in text
    assert "costeer_tokens_total 16" in text
    assert "vegan" not in text and "Hello" not in text
