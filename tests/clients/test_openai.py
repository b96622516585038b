"""The official client, of the third and of the last second major version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from costeer.gateway.answers import GatewayLimits
from tests.support.gateway import CHAT, FailingCloud, GatedModel, post, running_gateway
from tests.support.serving import until

openai = pytest.importorskip("openai", reason="the extra clients is not installed")

MESSAGES = [{"role": "user", "content": "Hello?"}]
ASK = {"model": "costeer", "messages": MESSAGES, "max_tokens": 8}


@pytest.fixture
def client(base_url: Any) -> Iterator[Any]:
    with openai.OpenAI(base_url=base_url, api_key="none") as made:
        yield made


@pytest.fixture
def expected(gateway: Any) -> Any:
    """What the library writes."""
    return gateway.costeer.generate(MESSAGES, "I am vegan.", max_tokens=8)


def text(chunks: Any) -> Any:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def run(base_url: Any, work: Any) -> Any:
    async def main() -> Any:
        async with openai.AsyncOpenAI(base_url=base_url, api_key="none") as made:
            return await work(made)

    return asyncio.run(main())


def test_a_chat(client: Any, expected: Any) -> None:
    made = client.chat.completions.create(**ASK)
    assert made.choices[0].message.content == expected.text
    assert made.choices[0].finish_reason == "length"
    assert made.usage.completion_tokens == 8
    assert made._request_id


def test_a_streamed_chat_with_its_usage(client: Any, expected: Any) -> None:
    options = {"stream": True, "stream_options": {"include_usage": True}}
    chunks = list(client.chat.completions.create(**ASK, **options))
    assert text(chunks) == expected.text
    assert (chunks[-1].choices, chunks[-1].usage.completion_tokens) == ([], 8)
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_the_stream_helper(client: Any, expected: Any) -> None:
    with client.chat.completions.stream(**ASK, stop=[expected.text[-2:]]) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    assert final.choices[0].message.content == expected.text[:-2]
    assert {"chunk", "content.delta", "content.done"} <= kinds


def test_an_async_chat(base_url: Any, expected: Any) -> None:
    async def work(client: Any) -> Any:
        whole = await client.chat.completions.create(**ASK)
        chunks = [one async for one in await client.chat.completions.create(**ASK, stream=True)]
        return whole.choices[0].message.content, text(chunks)

    assert run(base_url, work) == (expected.text, expected.text)


@pytest.mark.slow
def test_without_a_limit_nothing_is_cut_off_early(client: Any) -> None:
    made = client.chat.completions.create(model="costeer", messages=MESSAGES)
    assert made.usage.completion_tokens > 8


@pytest.mark.slow
def test_stop_seed_and_the_newer_limit(client: Any, expected: Any) -> None:
    cut = expected.text[3:5]
    made = client.chat.completions.create(**ASK, stop=[cut], max_completion_tokens=8)
    assert made.choices[0].message.content == expected.text.split(cut)[0]
    assert made.choices[0].finish_reason == "stop"
    hot = ASK | {"temperature": 2}
    texts = [
        client.chat.completions.create(**hot, seed=seed).choices[0].message.content
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]


def test_roles_and_lists_of_parts(client: Any, gateway: Any) -> None:
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo?"}]
    turns = [
        {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
        {"role": "user", "content": parts},
    ]
    made = client.chat.completions.create(**ASK | {"messages": turns})
    read = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hello?"}]
    same = gateway.costeer.generate(read, "I am vegan.", max_tokens=8)
    assert made.choices[0].message.content == same.text


def test_log_probabilities(client: Any, expected: Any) -> None:
    made = client.chat.completions.create(**ASK, logprobs=True, top_logprobs=2)
    entries = made.choices[0].logprobs.content
    assert bytes(byte for one in entries for byte in one.bytes).decode() == expected.text
    assert all(len(one.top_logprobs) == 2 and one.logprob <= 0 for one in entries)


def test_what_only_our_field_can_say(client: Any, gateway: Any) -> None:
    own = {"costeer": {"context": "I like cats.", "strength": 1.0}}
    made = client.chat.completions.create(**ASK, extra_body=own)
    same = gateway.costeer.generate(
        MESSAGES, "I am vegan.\n\nI like cats.", strength=1.0, max_tokens=8
    )
    assert made.choices[0].message.content == same.text


@pytest.mark.slow
def test_a_response(client: Any, expected: Any) -> None:
    made = client.responses.create(model="costeer", input="Hello?", max_output_tokens=8)
    assert made.output_text == expected.text
    assert made.usage.output_tokens == 8


@pytest.mark.slow
def test_a_streamed_response(client: Any, base_url: Any, expected: Any) -> None:
    ask = {"model": "costeer", "input": MESSAGES, "max_output_tokens": 8}
    events = list(client.responses.create(**ask, stream=True))
    assert "".join(e.delta for e in events if e.type == "response.output_text.delta") == (
        expected.text
    )
    assert events[-1].response.output_text == expected.text
    with client.responses.stream(**ask) as stream:
        done = [event.text for event in stream if event.type == "response.output_text.done"]
    assert done == [expected.text]

    async def work(client: Any) -> Any:
        return (await client.responses.create(**ask)).output_text

    assert run(base_url, work) == expected.text


def test_models(client: Any) -> None:
    ids = [one.id for one in client.models.list()]
    assert ids[:2] == ["costeer", "costeer/off"]
    assert client.models.retrieve("costeer/off").id == "costeer/off"
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("gpt-4")


@pytest.mark.parametrize(
    ("wrong", "kind", "param", "code"),
    [
        ({"n": 2}, openai.BadRequestError, "n", "unsupported_parameter"),
        ({"tool_choice": "required"}, openai.BadRequestError, "tool_choice", None),
        ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "response_format",
         None),
        ({"max_tokens": 0}, openai.BadRequestError, "max_tokens", "invalid_value"),
        ({"model": "gpt-4"}, openai.NotFoundError, "model", "model_not_found"),
        ({"extra_body": {"costeer": {"trace": True}}}, openai.PermissionDeniedError,
         "costeer.trace", "owner_required"),
    ],
)  # fmt: skip
def test_errors_are_the_clients_own_classes(
    client: Any, wrong: Any, kind: Any, param: Any, code: Any
) -> None:
    with pytest.raises(kind) as caught:
        client.chat.completions.create(**ASK | wrong)
    assert caught.value.param == param
    assert caught.value.code == code or code is None
    assert caught.value.request_id


def test_a_base_url_without_its_end_says_what_is_missing(gateway: Any) -> None:
    with (
        openai.OpenAI(base_url=gateway.url, api_key="none") as client,
        pytest.raises(openai.NotFoundError, match="/v1/chat/completions"),
    ):
        client.chat.completions.create(**ASK)


def test_a_wrong_key(tmp_path: Path) -> None:
    with running_gateway(tmp_path) as app:
        key = app.tokens.add("mine", "app")
        for given, kind in ((key, None), ("wrong", openai.AuthenticationError)):
            with openai.OpenAI(base_url=f"{app.url}/v1", api_key=given) as client:
                if kind is None:
                    client.models.list()
                    continue
                with pytest.raises(kind):
                    client.models.list()


def test_a_cloud_that_fails_is_asked_by_one_request_only(tmp_path: Path) -> None:
    with (
        running_gateway(tmp_path, cloud=FailingCloud(0)) as app,
        openai.OpenAI(base_url=f"{app.url}/v1", api_key="none", max_retries=5) as client,
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            client.chat.completions.create(**ASK)
        assert caught.value.code == "cloud_unreachable"
        assert app.answers.metrics.responses == {(CHAT, 502): 1}


def test_a_stream_that_fails_on_the_way_raises_what_happened(tmp_path: Path) -> None:
    with (
        running_gateway(tmp_path, cloud=FailingCloud(3), strength="off") as app,
        openai.OpenAI(base_url=f"{app.url}/v1", api_key="none") as client,
    ):
        chunks = []
        with pytest.raises(openai.APIError) as caught:
            for chunk in client.chat.completions.create(**ASK, stream=True):
                chunks.append(chunk)
    assert text(chunks)
    assert caught.value.code == "cloud_unreachable"


def test_a_full_queue_is_a_rate_limit(tmp_path: Path) -> None:
    slm = GatedModel(seed=2)
    with (
        running_gateway(
            tmp_path, slm=slm, lanes=1, limits=GatewayLimits(queue=0, ping=0.05)
        ) as app,
        openai.OpenAI(base_url=f"{app.url}/v1", api_key="none", max_retries=0) as client,
    ):
        slm.gate.clear()
        with client.chat.completions.create(**ASK, stream=True):
            assert until(lambda: app.answers.metrics.under_way == 1)
            with pytest.raises(openai.RateLimitError) as caught:
                client.chat.completions.create(**ASK)
            slm.gate.set()
        assert caught.value.response.headers["retry-after"]
        assert until(lambda: app.answers.metrics.under_way == 0)
        assert post(app, ASK).status_code == 200
