"""Requests to and answers from different servers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx2
import numpy as np
import pytest

from costeer.cloud.base import CloudInfo
from costeer.cloud.client import completion_stream as answers
from costeer.cloud.client.dialects import LEAST, fields, hidden, steps
from costeer.cloud.client.http_errors import LONGEST_WAIT, logprobs_cap, refused_error, retry_after
from costeer.cloud.client.model_info import read_info
from costeer.cloud.wire.logprobs import encode
from costeer.exceptions import CloudProtocolError, CloudRefusedError, NotFiniteError

# Captured from llama-server, build 11549 of llama.cpp (xllamacpp 2026.10.11549); fields that play
# no part here are left out, and the stream is shortened. Qwen2.5-Coder 0.5B; the end of a text:
# SmolLM2; hidden: a random model.


def llama_chunk(
    entry: dict[str, Any] | None, finish: str | None = None, text: str = "", **more: Any
) -> dict[str, Any]:
    logprobs = entry and {"content": [entry]}
    choice = {"text": text, "index": 0, "logprobs": logprobs, "finish_reason": finish}
    return {"choices": [choice], "object": "text_completion", "id": "chatcmpl-PB"} | more


def llama_entry(token: int, text: str, logprob: float, *top: Any) -> dict[str, Any]:
    def named(token: int, text: str, logprob: float) -> dict[str, Any]:
        return {"id": token, "token": text, "bytes": [*text.encode()], "logprob": logprob}

    return named(token, text, logprob) | {"top_logprobs": [named(*other) for other in top]}


LLAMA_STREAM = [
    llama_chunk(
        llama_entry(
            0,
            "!",
            -0.15537725389003754,
            (0, "!", -0.15537725389003754),
            (1052, " there", -2.233952522277832),
        ),
        text="!",
        timings={"cache_n": 0, "prompt_n": 12, "predicted_n": 1},
    ),
    llama_chunk(
        llama_entry(
            2585,
            " How",
            -0.055784959346055984,
            (2585, " How", -0.055784959346055984),
            (1084, " It", -4.134957313537598),
        ),
        text=" How",
        timings={"cache_n": 0, "prompt_n": 12, "predicted_n": 2},
    ),
    llama_chunk(
        None,
        "length",
        usage={"completion_tokens": 2, "prompt_tokens": 12, "total_tokens": 14},
        timings={"cache_n": 0, "prompt_n": 12, "predicted_n": 2},
    ),
]
LLAMA_END = [
    llama_chunk(
        llama_entry(
            2,
            "",
            -0.6874017119407654,
            (2, "", -0.6874017119407654),
            (339, " I", -1.8444870710372925),
        )
    ),
    llama_chunk(None, "stop", timings={"cache_n": 35, "prompt_n": 2, "predicted_n": 1}),
]
LLAMA_FORCED = [
    llama_chunk(
        llama_entry(
            64,
            "a",
            -14.579789161682129,
            (0, "!", -0.15962965786457062),
            (1052, " there", -2.205256462097168),
        ),
        text="a",
    ),
    llama_chunk(None, "length", timings={"cache_n": 11, "prompt_n": 1, "predicted_n": 1}),
]
LLAMA_HIDDEN = [
    llama_chunk(None, "length", timings={"cache_n": 0, "prompt_n": 3, "predicted_n": 1})
]
LLAMA_CARD = {
    "id": "qwen2.5-coder-0.5b",
    "aliases": ["qwen2.5-coder-0.5b"],
    "object": "model",
    "owned_by": "llamacpp",
    "meta": {"vocab_type": 2, "n_vocab": 151_936, "n_ctx": 512, "n_ctx_train": 32_768},
}
LLAMA_TOO_LONG = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "request (256 tokens) exceeds the available context size (256 tokens), "
            "try increasing it",
            "type": "exceed_context_size_error",
            "n_prompt_tokens": 256,
            "n_ctx": 256,
        }
    }
)
LLAMA_BAD_TOKEN = json.dumps(
    {
        "error": {
            "code": 400,
            "message": "Prompt contains invalid tokens",
            "type": "invalid_request_error",
        }
    }
)

# vLLM, from its documentation and not captured:
# https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (extra parameters) and
# https://github.com/vllm-project/vllm/blob/main/vllm/entrypoints/openai/completion/serving.py.
VLLM_CHUNK = {
    "id": "cmpl-0",
    "object": "text_completion",
    "created": 0,
    "model": "m",
    "choices": [
        {
            "index": 0,
            "text": "Hello!",
            "logprobs": {
                "text_offset": [0, 5],
                "token_logprobs": [-0.5, -9.5],
                "tokens": ["token_id:9707", "token_id:0"],
                "top_logprobs": [
                    {"token_id:9707": -0.5, "token_id:13048": -1.5},
                    {"token_id:0": -9.5, "token_id:11": -0.25, "token_id:151645": -1.75},
                ],
            },
            "finish_reason": None,
            "stop_reason": None,
        }
    ],
}
VLLM_FULL = "max_tokens must be at least 1, got 0. (parameter=max_tokens, value=0)"
VLLM_TOO_LONG = json.dumps(
    {
        "error": {
            "message": "This model's maximum context length is 4096 tokens. However, you requested "
            "4097 tokens",
            "type": "BadRequestError",
            "param": None,
            "code": 400,
        }
    }
)

# SGLang, from its documentation and not captured; the tokens are texts:
# https://docs.sglang.io/basic_usage/openai_api_completions.html and
# https://github.com/sgl-project/sglang/blob/main/python/sglang/srt/entrypoints/openai/utils.py.
SGLANG_CHOICE = {
    "index": 0,
    "text": "Hello",
    "logprobs": {
        "text_offset": [-1],
        "token_logprobs": [-0.5],
        "tokens": ["Hello"],
        "top_logprobs": [{"Hello": -0.5, "Hi": -1.5}],
    },
    "finish_reason": None,
}


class FakeResponse:
    """As much of a response as is looked at."""

    def __init__(self, status_code: int = 200, body: bytes = b"") -> None:
        self.status_code = status_code
        self.headers = {"content-type": "text/event-stream"}
        self._body = body

    def iter_bytes(self) -> Iterator[bytes]:
        yield self._body

    def piece(self, size: int) -> None:
        """As the exchange that counts bytes."""


def answer(payloads: list[dict[str, Any]]) -> Iterator[Any]:
    """The choices of a streamed answer."""
    lines = [*map(json.dumps, payloads), "[DONE]"]
    response = FakeResponse(body=b"".join(f"data: {line}\n\n".encode() for line in lines))
    return answers.CompletionStream(response, response).choices()


TOP = encode(np.asarray([7, 3], np.int32), np.asarray([-0.5, -1], np.float32))


def openai(tokens: list[str], rows: Any) -> dict[str, Any]:
    return {"tokens": tokens, "token_logprobs": [None] * len(tokens), "top_logprobs": rows}


def content(*entries: Any) -> dict[str, list[dict[str, Any]]]:
    return {
        "content": [
            {
                "id": token,
                "token": "x",
                "bytes": [120],
                "logprob": -0.5,
                "top_logprobs": [{"id": i, "token": "x", "logprob": v} for i, v in row],
            }
            for token, row in entries
        ]
    }


@pytest.mark.parametrize(
    "logprobs",
    [
        {"encoding": "base64", "token_ids": [7], "top": [TOP]},
        openai(["token_id:7"], [{"token_id:3": -1, "token_id:7": -0.5}]),
        content((7, [(7, -0.5), (3, -1.0)])),
    ],
    ids=["compact", "openai", "content"],
)
def test_dialects(logprobs: Any) -> None:
    (step,) = steps({"text": "x", "logprobs": logprobs}, 5, 10)
    assert step.token == 7
    assert step.top_ids.tolist() == [7, 3]
    assert step.top_logprobs.tolist() == [-0.5, -1]
    assert (step.top_ids.dtype, step.top_logprobs.dtype) == (np.int32, np.float32)
    (step,) = steps({"text": "x", "logprobs": logprobs}, 1, 10)
    assert step.top_ids.tolist() == [7]


def test_recorded_chunks_of_llama_server() -> None:
    """A stream, an end of text, and one position asked for with a forced token."""
    stream = list(answer(LLAMA_STREAM))
    found = [steps(choice, 2, 151_936) for choice in stream]
    assert [[step.token for step in some] for some in found] == [[0], [2585], []]
    assert found[0][0].top_ids.tolist() == [0, 1052]
    assert found[0][0].top_logprobs == pytest.approx([-0.15537725, -2.23395252])
    assert [hidden(choice, i) for i, choice in enumerate(stream)] == [True, True, False]
    assert [hidden(choice, i + 1) for i, choice in enumerate(stream)] == [False] * 3

    (ended, last) = answer(LLAMA_END)
    (step,) = steps(ended, 2, 49_152)
    assert step.token == step.top_ids[0] == 2  # <|im_end|>, which has no text
    assert last["finish_reason"] == "stop"
    assert steps(last, 2, 49_152) == []

    (forced, _) = answer(LLAMA_FORCED)
    (step,) = steps(forced, 2, 151_936)
    assert step.token == 0  # not 64, the "a" that was forced
    assert step.top_ids.tolist() == [0, 1052]

    (last,) = answer(LLAMA_HIDDEN)
    assert steps(last, 2, 339) == []
    assert hidden(last, 0)


def test_a_probability_rounded_to_zero_is_bounded() -> None:
    """llama-server writes the least float32 for the logarithm of 0."""
    lowest = float(np.finfo(np.float32).min)
    (step,) = steps({"logprobs": content((7, [(7, -0.5), (3, lowest)]))}, 2, 10)
    assert step.top_logprobs[1] == np.float32(LEAST) < -103


def test_a_tie_keeps_the_token_that_the_stream_went_on_with() -> None:
    (step,) = steps({"logprobs": content((7, [(3, -0.5), (7, -0.5)]))}, 2, 10)
    assert (step.token, step.top_ids.tolist()) == (7, [3, 7])


def test_a_documented_chunk_of_vllm() -> None:
    """More entries than asked for where the chosen token is not in the top k; several tokens."""
    choice = next(answer([VLLM_CHUNK]))
    first, second = steps(choice, 2, 151_936)
    assert (first.token, first.top_ids.tolist()) == (9707, [9707, 13048])
    assert (second.token, second.top_ids.tolist()) == (0, [11, 151_645])
    assert not hidden(choice, 0)


def test_sglang_names_tokens_by_text_which_is_not_enough() -> None:
    with pytest.raises(CloudProtocolError) as caught:
        steps(SGLANG_CHOICE, 2, 151_936)
    assert "SGLang" in caught.value.hint


@pytest.mark.parametrize(
    ("server", "max_tokens", "some"),
    [
        (None, 1, {"return_tokens_as_token_ids": True}),
        ("vllm", 5, {"return_tokens_as_token_ids": True, "repetition_penalty": 1.0}),
        ("llamacpp", 1, {"logit_bias": [["a", 1e6]], "top_k": 1}),
        ("llamacpp", 2, {"timings_per_token": True, "samplers": ["top_k"], "cache_prompt": True}),
    ],
)
def test_fields(server: str | None, max_tokens: int, some: Any) -> None:
    asked = fields(CloudInfo("m", server=server), max_tokens)
    assert asked.items() >= some.items()
    assert ("logit_bias" in asked) == (server == "llamacpp" and max_tokens == 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (LLAMA_TOO_LONG, True),
        (VLLM_TOO_LONG, True),
        ('{"error": {"code": "context_length_exceeded"}}', True),
        (VLLM_FULL, True),
        (LLAMA_BAD_TOKEN, False),
    ],
)
def test_a_full_context_is_told_apart(text: str, told: bool) -> None:
    assert ("longer than the model's context" in refused_error(400, text).hint) == told


def test_several_tokens_in_a_chunk_ties_and_floor() -> None:
    row = {"token_id:9": -1.5, "token_id:2": -1.5, "token_id:4": -9999.0}
    logprobs = openai(["token_id:2", "token_id:9"], [row, row])
    found = steps({"text": "xy", "logprobs": logprobs}, 3, None)
    assert [step.token for step in found] == [2, 9]
    assert found[0].top_ids.tolist() == [2, 9, 4]
    assert found[0].top_logprobs[2] == -np.inf


@pytest.mark.parametrize("text", ["", None])
def test_a_chunk_without_anything_is_nothing(text: str | None) -> None:
    assert steps({"text": text, "logprobs": None, "finish_reason": "stop"}, 3, None) == []


@pytest.mark.parametrize(
    ("logprobs", "error"),
    [
        (None, CloudProtocolError),
        ({}, CloudProtocolError),
        ([], CloudProtocolError),
        (5, CloudProtocolError),
        (openai([" a"], [{" a": -1}]), CloudProtocolError),  # texts, not ids
        (openai(["token_id:1"], []), CloudProtocolError),
        (openai(["token_id:1"], [None]), CloudProtocolError),
        (openai(["token_id:x"], [{"token_id:1": -1}]), CloudProtocolError),
        (openai(["token_id:1"], [{"token_id:1": None}]), CloudProtocolError),
        (openai(["token_id:1"], [{"token_id:1": True}]), CloudProtocolError),
        (openai(["token_id:1"], [{"token_id:10": -1}]), CloudProtocolError),
        (openai(["token_id:1"], [{"token_id:99999999999": -1}]), CloudProtocolError),
        (openai(["token_id:1"], [{"token_id:1": float("nan")}]), NotFiniteError),
        (openai(["token_id:1"], [{"token_id:1": float("inf")}]), CloudProtocolError),
        ({"encoding": "hex", "token_ids": [1], "top": [TOP]}, CloudProtocolError),
        ({"encoding": "base64", "token_ids": [1], "top": []}, CloudProtocolError),
        ({"encoding": "base64", "token_ids": [1], "top": [5]}, CloudProtocolError),
        ({"encoding": "base64", "token_ids": ["1"], "top": [TOP]}, CloudProtocolError),
        ({"content": [{"token": "x"}]}, CloudProtocolError),
    ],
)
def test_unusable(logprobs: Any, error: type[Any]) -> None:
    with pytest.raises(error) as caught:
        steps({"text": "x", "logprobs": logprobs}, 5, 10)
    if logprobs is None:
        assert "--max-logprobs" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "asked", "cap"),
    [
        ("Requested sample logprobs of 64, which is greater than max allowed: 20", 64, 20),
        ("Invalid value for 'logprobs': must be less than or equal to 5.", 64, 5),
        ("65 is greater than the maximum of 5 - 'logprobs'", 65, 5),
        ("logprobs must be a whole number from 0 to 100.", 300, 100),
        ("logprobs must be at most 30", 64, 30),
        ("max_tokens must be at most 30", 64, None),
        ("logprobs_encoding: extra inputs are not permitted", 64, None),
        ("logprobs: max allowed: 20", 20, None),
    ],
)
def test_logprobs_cap(text: str, asked: int, cap: int | None) -> None:
    assert logprobs_cap(text, asked) == cap


@pytest.mark.parametrize(
    ("cards", "model", "expected"),
    [
        ([{"id": "a"}], None, ("a", None, None)),
        ([{"id": "a", "max_model_len": 99}], None, ("a", None, 99)),
        ([{"id": "a"}, {"id": "b", "max_model_len": 9}], "b", ("b", None, 9)),
        ([{"id": "a", "meta": {"n_vocab": 7}}], None, ("a", 7, None)),
        ([LLAMA_CARD], None, ("qwen2.5-coder-0.5b", 151_936, 512)),
        ([{"id": "a", "costeer": "x", "meta": None, "max_model_len": "9"}], "a", ("a", None, None)),
        ([{"id": "a", "max_model_len": 9}], "other", ("other", None, None)),
        ([], None, ("default", None, None)),
    ],
)
def test_cards(cards: Any, model: str | None, expected: tuple[Any, ...]) -> None:
    info = read_info(FakeResponse(), json.dumps({"data": cards}), model)
    assert (info.model, info.vocab_size, info.context_length) == expected


@pytest.mark.parametrize(
    ("owner", "server"),
    [("llamacpp", "llamacpp"), ("vllm", "vllm"), ("costeer", None), (["vllm"], None), (None, None)],
)
def test_the_kind_of_server(owner: Any, server: str | None) -> None:
    card = {"id": "a", "owned_by": owner}
    assert read_info(FakeResponse(), json.dumps({"data": [card]}), None).server == server


def test_no_cards() -> None:
    assert read_info(FakeResponse(404), "Not Found", "m").model == "m"
    with pytest.raises(CloudRefusedError) as caught:
        read_info(FakeResponse(401), "{}", None)
    assert "COSTEER_API_KEY" in caught.value.hint
    for text in ("<html>", "[]", '{"data": 5}', '{"data": [5]}', "null"):
        with pytest.raises(CloudProtocolError):
            read_info(FakeResponse(), text, None)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0),
        ("7", 7),
        ("3600", LONGEST_WAIT),
        ("9" * 400, LONGEST_WAIT),
        ("-1", 0),
        ("1.5", 0),
        ("\u00b2", 0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0),
        (None, 0),
    ],
)
def test_retry_after_is_bounded(value: str | None, seconds: float) -> None:
    headers = [] if value is None else [(b"retry-after", value.encode("latin-1"))]
    assert retry_after(httpx2.Response(429, headers=headers)) == seconds
