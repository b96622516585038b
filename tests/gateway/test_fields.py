"""The table of fields is obeyed, and the docs print it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from costeer.gateway import fields
from costeer.serving.errors import ApiError
from tests.support.gateway import CHAT, HELLO, post

DOCS = Path(__file__).parents[2] / "docs" / "gateway.md"
RESPONSES = {"model": "costeer", "input": "Hello?", "max_output_tokens": 4}

HONOURED = {
    "model": "costeer/off",
    "messages": HELLO["messages"],
    "input": [{"role": "user", "content": [{"type": "input_text", "text": "Hello?"}]}],
    "instructions": "Be brief.",
    "stream": False,
    "stream_options": {"include_usage": True},
    "max_completion_tokens": 3,
    "max_output_tokens": 3,
    "max_tokens": 3,
    "stop": ["x"],
    "temperature": 1,
    "top_p": 0.5,
    "seed": 1,
    "logprobs": True,
    "top_logprobs": 0,
    "costeer": {"strength": "off", "context": "I like cats."},
}
REFUSED = {
    "n": [2, 0, "1", True, 1.0],
    "tool_choice": ["required", {"type": "function", "function": {"name": "f"}}],
    "function_call": [{"name": "f"}],
    "response_format": [{"type": "json_object"}, {"type": "json_schema"}, "text", []],
    "logit_bias": [{"5": 1}],
    "presence_penalty": [0.5, True, "0"],
    "frequency_penalty": [-1],
    "modalities": [["text", "audio"], "text"],
    "audio": [{"voice": "a"}],
    "web_search_options": [{}],
    "moderation": [{"model": "m"}],
    "store": [True, 0],
    "text": [{"format": {"type": "json_object"}}, "text"],
    "top_logprobs": [3],
    "previous_response_id": ["resp_1"],
    "conversation": ["conv_1", {"id": "conv_1"}],
    "prompt": [{"id": "p"}],
    "context_management": [[{"type": "compaction"}]],
    "background": [True],
}
HARMLESS = {
    "n": 1,
    "tool_choice": "auto",
    "function_call": "none",
    "response_format": {"type": "text"},
    "logit_bias": {},
    "presence_penalty": 0.0,
    "frequency_penalty": 0,
    "modalities": ["text"],
    "store": False,
    "text": {"format": {"type": "text"}, "verbosity": "low"},
    "top_logprobs": 0,
    "context_management": [],
    "background": False,
}
ENDPOINTS = {"chat": (CHAT, HELLO, fields.CHAT), "responses": ("/v1/responses", RESPONSES,
                                                              fields.RESPONSES)}  # fmt: skip
CASES = [(name, field) for name, (_, _, table) in ENDPOINTS.items() for field in table]


@pytest.mark.slow
@pytest.mark.parametrize(("endpoint", "field"), CASES, ids=lambda one: getattr(one, "name", one))
def test_every_field_has_its_effect(gateway: Any, endpoint: Any, field: Any) -> None:
    path, body, _ = ENDPOINTS[endpoint]
    if field.effect == "honoured":
        response = post(gateway, body | {field.name: HONOURED[field.name]}, path)
        assert response.status_code == 200, response.text
        assert "x-costeer-ignored" not in response.headers
    elif field.effect == "ignored":
        response = post(gateway, body | {field.name: ["whatever"]}, path)
        assert response.status_code == 200, response.text
        assert response.headers["x-costeer-ignored"] == field.name
    else:
        for value in REFUSED[field.name]:
            response = post(gateway, body | {field.name: value}, path)
            error = response.json()["error"]
            assert (response.status_code, error["param"]) == (400, field.name)
            assert error["code"] == "unsupported_parameter"
    if field.name in HARMLESS:
        assert post(gateway, body | {field.name: HARMLESS[field.name]}, path).status_code == 200
    assert post(gateway, body | {field.name: None}, path).status_code == (
        400 if field.name in ("model", "messages", "input") else 200
    )


def test_unknown_fields_are_named_but_cannot_break_the_header() -> None:
    assert fields.ignored({"top_k": 40, "stream": True, "x": None}, fields.CHAT) == ("top_k",)
    assert fields.header(("top_k", "a\r\nb: c", "é", "a b", "mirostat_tau")) == (
        "top_k, mirostat_tau"
    )
    assert fields.header(tuple(f"f{i}" for i in range(1000))).count(",") == fields.MOST_NAMED - 1
    assert len(fields.header(("a" * 10**6,))) == 40


def test_what_is_refused_is_not_quoted() -> None:
    with pytest.raises(ApiError) as caught:
        fields.ignored({"prompt": "my secret"}, fields.RESPONSES)
    assert "secret" not in str(caught.value.envelope())


@pytest.mark.parametrize("table", [fields.CHAT, fields.RESPONSES])
def test_the_docs_print_the_table(table: Any) -> None:
    assert fields.markdown(table) in DOCS.read_text("utf-8")


@pytest.mark.parametrize("table", [fields.CHAT, fields.RESPONSES])
def test_no_field_stands_twice(table: Any) -> None:
    names = [field.name for field in table]
    assert len(names) == len(set(names))
