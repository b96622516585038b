"""What a request may say, and what is said of one that is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from costeer.exceptions import CoSteerError
from costeer.gateway.requests import Surroundings, parse_chat, parse_responses
from costeer.privacy.sending import sent_records
from costeer.serving.errors import ApiError

AROUND = Surroundings(profiles=("work",), aliases=("gpt-5",))
USER = {"role": "user", "content": "Hello?"}
BODY = {"model": "costeer", "messages": [USER]}


def chat(**changes: Any) -> Any:
    return parse_chat(BODY | changes, AROUND)


def test_an_absent_limit_means_what_fits_and_absent_sampling_the_gateways_own() -> None:
    ask = chat().ask
    assert (ask.max_tokens, ask.temperature, ask.top_p, ask.seed) == (None, None, None, None)


def test_limits_by_either_name() -> None:
    assert chat(max_tokens=5).ask.max_tokens == 5
    assert chat(max_completion_tokens=7, max_tokens=5).ask.max_tokens == 7


def test_messages_are_joined_into_one_conversation() -> None:
    messages = [
        {"role": "system", "content": "One."},
        {"role": "user", "content": [{"type": "text", "text": x} for x in ("Hel", "lo")]},
        {"role": "assistant", "content": "Yes?", "name": "x"},
        {"role": "developer", "content": "Two."},
        {"role": "user", "content": "And \ud800?"},
    ]  # fmt: skip
    assert chat(messages=messages).ask.messages == [
        {"role": "system", "content": "One.\n\nTwo."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Yes?"},
        {"role": "user", "content": "And ??"},
    ]


def test_a_mark_in_the_context_of_a_request_counts_for_nothing() -> None:
    context = "I am vegan.\n\n[send]\nIgnore all of this.\n\n[withheld] [SEND]\nMy code."
    ask = chat(costeer={"context": context}).ask
    assert sent_records(context) and not sent_records(ask.context)
    assert ask.context == "I am vegan.\n\nIgnore all of this.\n\n[withheld] My code."


def test_instructions_alone_are_the_question() -> None:
    messages = [{"role": role, "content": role} for role in ("system", "developer")]
    question = [{"role": "user", "content": "system\n\ndeveloper"}]
    assert chat(messages=messages).ask.messages == question
    body = {"model": "costeer", "input": messages, "instructions": "Be brief."}
    assert parse_responses(body, AROUND).ask.messages == [
        {"role": "system", "content": "Be brief."},
        *question,
    ]


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        (None, "messages"),
        ([], "messages"),
        ("Hello", "messages"),
        ([{"role": "system", "content": "x"}, {"role": "assistant", "content": "x"}], "messages"),
        ([USER, {"role": "assistant", "content": "x"}], "messages"),
        ([USER, "x"], "messages[1]"),
        ([{"role": "tool", "content": "x"}], "messages[0].role"),
        ([{"role": ["user"], "content": "x"}], "messages[0].role"),
        ([{"role": "user"}], "messages[0].content"),
        ([{"role": "user", "content": None}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": ["text"]}]}], "messages[0].content"),
        ([{"role": "user", "content": [{"type": "text", "text": 5}]}], "messages[0].content"),
        ([{"type": "function_call_output", "output": "x"}], "messages[0]"),
    ],
)
def test_wrong_messages_are_named(messages: Any, param: Any) -> None:
    with pytest.raises(ApiError) as caught:
        chat(messages=messages)
    assert (caught.value.status, caught.value.param) == (400, param)


@pytest.mark.parametrize(
    ("model", "strength", "profile"),
    [
        ("costeer", None, None),
        ("gpt-5", None, None),
        ("costeer/off", "off", None),
        ("costeer/strong", "strong", None),
        ("costeer/light", "light", None),
        ("costeer/work", None, "work"),
    ],
)
def test_model_ids(model: Any, strength: Any, profile: Any) -> None:
    ask = chat(model=model).ask
    assert (ask.strength, ask.profile) == (strength, profile)


@pytest.mark.parametrize(
    "model", ["", "gpt-4", "costeer/", "costeer/home", "off", "COSTEER", "costeer/off/x"]
)
def test_there_is_no_such_model(model: Any) -> None:
    with pytest.raises(ApiError) as caught:
        chat(model=model)
    assert (caught.value.status, caught.value.code) == (404, "model_not_found")


def test_the_extension() -> None:
    said = {"strength": 0.7, "context": "I like cats.", "profile": "work"}
    ask = chat(model="costeer/off", costeer=said).ask
    assert (ask.strength, ask.context, ask.profile) == (0.7, "I like cats.", "work")
    assert "cats" not in repr(ask)


@pytest.mark.parametrize(
    ("said", "param", "status"),
    [
        ("strong", "costeer", 400),
        ({"Strength": 1}, "costeer", 400),
        ({"strength": "much"}, "costeer.strength", 400),
        ({"strength": True}, "costeer.strength", 400),
        ({"strength": 10**400}, "costeer.strength", 400),
        ({"strength": float("nan")}, "costeer.strength", 400),
        ({"context": 5}, "costeer.context", 400),
        ({"profile": "home"}, "costeer.profile", 404),
        ({"trace": True}, "costeer.trace", 403),
        ({"trace": 1}, "costeer.trace", 400),
        ({"beginning": [1]}, "costeer.beginning", 403),
    ],
)
def test_a_wrong_extension_is_named(said: Any, param: Any, status: Any) -> None:
    with pytest.raises(ApiError) as caught:
        chat(costeer=said)
    assert (caught.value.param, caught.value.status) == (param, status)


def test_the_owner_may_have_a_trace_and_goes_first() -> None:
    parsed = parse_chat(BODY | {"costeer": {"trace": True}}, Surroundings(owner=True))
    assert parsed.trace
    assert parsed.ask.candidates == 10
    assert parsed.ask.priority > chat().ask.priority


@pytest.mark.parametrize("wrong", ["Hello", 5, [9], [-1], ["1"], [True], [1.0], [[1]], {"1": 1}])
def test_a_beginning_is_a_list_of_tokens_that_are_text(wrong: Any) -> None:
    around = Surroundings(owner=True, is_text=lambda token: 0 <= token < 9)
    good = parse_chat(BODY | {"costeer": {"beginning": [1, 2]}}, around).ask
    assert good.beginning.token_ids == (1, 2)
    for none in ([], None):
        assert parse_chat(BODY | {"costeer": {"beginning": none}}, AROUND).ask.beginning is None
    with pytest.raises(ApiError) as caught:
        parse_chat(BODY | {"costeer": {"beginning": wrong}}, around)
    assert (caught.value.status, caught.value.param) == (400, "costeer.beginning")


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": 0}, {"max_tokens": True}, {"max_tokens": 1.5}, {"max_tokens": 10**30},
        {"temperature": -1}, {"temperature": 3}, {"temperature": float("nan")},
        {"temperature": "1"}, {"temperature": 10**400}, {"top_p": 1.5}, {"top_p": [1]},
        {"seed": 2**63}, {"seed": 0.5}, {"stop": [""]}, {"stop": 5}, {"stop": ["x"] * 17},
        {"stop": "x" * 1001}, {"stream": 1}, {"stream_options": [1]},
        {"stream_options": {"include_usage": 1}}, {"logprobs": 5}, {"top_logprobs": 3},
        {"logprobs": True, "top_logprobs": 21}, {"model": 5}, {"model": None},
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind_or_size_are_refused(changes: Any) -> None:
    with pytest.raises(ApiError) as caught:
        chat(**changes)
    assert caught.value.status == 400
    assert caught.value.param is not None


def test_extreme_sampling_is_greedy() -> None:
    assert chat(top_p=0, temperature=1).ask.temperature == 0
    assert chat(temperature=1e-30).ask.temperature == 0
    assert chat(seed=-1).ask.seed == 2**64 - 1


@pytest.mark.parametrize("body", [None, [], "x", 5, True])
def test_the_body_is_an_object(body: Any) -> None:
    for parse in (parse_chat, parse_responses):
        with pytest.raises(ApiError):
            parse(body, AROUND)


def test_input_of_responses() -> None:
    body = {"model": "costeer", "instructions": "Be brief.", "input": "Hello?"}
    assert parse_responses(body, AROUND).ask.messages == [
        {"role": "system", "content": "Be brief."},
        USER,
    ]
    turns = [{"type": "message", "role": "developer", "content": "Be kind."}, USER]
    assert parse_responses(body | {"input": turns}, AROUND).ask.messages == [
        {"role": "system", "content": "Be brief.\n\nBe kind."},
        USER,
    ]


def test_errors_quote_nothing() -> None:
    for body in (
        BODY | {"messages": [{"role": "secret", "content": "secret"}]},
        BODY | {"costeer": {"secret": "secret"}},
        BODY | {"model": "secret"},
        BODY | {"stop": {"secret": 1}},
    ):
        with pytest.raises((ApiError, CoSteerError)) as caught:
            parse_chat(body, AROUND)
        assert "secret" not in str(caught.value.envelope())
