"""Responses: thin, stateless, and the same text as chat completions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.gateway import HELLO, post, running_gateway, streamed

PATH = "/v1/responses"
BODY = {"model": "costeer", "input": "Hello?", "max_output_tokens": 8}


def test_the_text_is_that_of_chat_completions(gateway: Any) -> None:
    chat = post(gateway, HELLO).json()
    made = post(gateway, BODY, PATH).json()
    (message,) = made["output"]
    assert message["content"][0]["text"] == chat["choices"][0]["message"]["content"] != ""
    assert made["usage"]["output_tokens"] == 8
    assert (made["status"], made["store"]) == ("incomplete", False)
    assert made["incomplete_details"] == {"reason": "max_output_tokens"}


@pytest.mark.slow
def test_the_events_come_in_order_and_spell_the_answer(gateway: Any) -> None:
    whole = post(gateway, BODY, PATH).json()
    events = streamed(gateway, BODY, PATH)
    kinds = [event["type"].removeprefix("response.") for event in events]
    assert kinds[:4] == ["created", "in_progress", "output_item.added", "content_part.added"]
    assert set(kinds[4:-4]) == {"output_text.delta"}
    assert kinds[-4:] == [
        "output_text.done", "content_part.done", "output_item.done", "incomplete",
    ]  # fmt: skip
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    text = "".join(event["delta"] for event in events if "delta" in event)
    assert text == whole["output"][0]["content"][0]["text"]
    assert events[-1]["response"]["output"][0]["content"][0]["text"] == text
    assert len({event["item_id"] for event in events if "item_id" in event}) == 1


def test_events_have_their_names_and_no_end_marker(gateway: Any) -> None:
    with gateway.client.stream("POST", PATH, json=BODY | {"stream": True}) as response:
        text = response.read().decode()
    assert "event: response.created\ndata: {" in text
    assert "[DONE]" not in text
    assert text.endswith("\n\n")


def test_a_conversation_and_instructions(gateway: Any) -> None:
    turns = [
        {"role": "user", "content": [{"type": "input_text", "text": "One?"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "1"}]},
        {"role": "user", "content": "Two?"},
    ]
    made = post(gateway, BODY | {"input": turns, "instructions": "Be brief."}, PATH).json()
    expected = gateway.costeer.generate(
        [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "One?"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "Two?"},
        ],
        "I am vegan.",
        max_tokens=8,
    )
    assert made["output"][0]["content"][0]["text"] == expected.text
    assert made["instructions"] == "Be brief."


@pytest.mark.parametrize("path", ["/v1/responses/resp_1", "/v1/responses/resp_1/cancel"])
def test_nothing_is_stored(gateway: Any, path: Any) -> None:
    assert gateway.client.get(path).status_code == 404


@pytest.mark.slow
def test_a_trace_is_for_the_owner(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        owner, other = app.tokens.add("me", "owner"), app.tokens.add("app", "app")
        body = BODY | {"costeer": {"trace": True}}
        made = post(app, body, PATH, token=owner).json()
        assert len(made["costeer"]["trace"]) == 8
        assert post(app, body, PATH, token=other).status_code == 403
