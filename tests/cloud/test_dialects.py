import json

import httpx
import numpy as np
import pytest

from costeer.cloud.cards import read_info
from costeer.cloud.dialects import steps
from costeer.cloud.refusals import LONGEST_WAIT, logprobs_cap, retry_after
from costeer.cloud.wire import encode
from costeer.exceptions import CloudProtocolError, CloudRefusedError, NotFiniteError

TOP = encode(np.asarray([7, 3], np.int32), np.asarray([-0.5, -1], np.float32))


def openai(tokens, rows):
    return {"tokens": tokens, "token_logprobs": [None] * len(tokens), "top_logprobs": rows}


def content(*entries):
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
def test_dialects(logprobs):
    (step,) = steps({"text": "x", "logprobs": logprobs}, 5, 10)
    assert step.token == 7
    assert step.top_ids.tolist() == [7, 3]
    assert step.top_logprobs.tolist() == [-0.5, -1]
    assert (step.top_ids.dtype, step.top_logprobs.dtype) == (np.int32, np.float32)
    (step,) = steps({"text": "x", "logprobs": logprobs}, 1, 10)
    assert step.top_ids.tolist() == [7]


def test_several_tokens_in_a_chunk_ties_and_floor():
    row = {"token_id:9": -1.5, "token_id:2": -1.5, "token_id:4": -9999.0}
    logprobs = openai(["token_id:2", "token_id:9"], [row, row])
    found = steps({"text": "xy", "logprobs": logprobs}, 3, None)
    assert [step.token for step in found] == [2, 9]
    assert found[0].top_ids.tolist() == [2, 9, 4]
    assert found[0].top_logprobs[2] == -np.inf


@pytest.mark.parametrize("text", ["", None])
def test_a_chunk_without_anything_is_nothing(text):
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
def test_unusable(logprobs, error):
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
def test_logprobs_cap(text, asked, cap):
    assert logprobs_cap(text, asked) == cap


class Answer:
    def __init__(self, status_code=200):
        self.status_code = status_code


@pytest.mark.parametrize(
    ("cards", "model", "expected"),
    [
        ([{"id": "a"}], None, ("a", None, None)),
        ([{"id": "a", "max_model_len": 99}], None, ("a", None, 99)),
        ([{"id": "a"}, {"id": "b", "max_model_len": 9}], "b", ("b", None, 9)),
        ([{"id": "a", "meta": {"n_vocab": 7}}], None, ("a", 7, None)),
        ([{"id": "a", "costeer": "x", "meta": None, "max_model_len": "9"}], "a", ("a", None, None)),
        ([{"id": "a", "max_model_len": 9}], "other", ("other", None, None)),
        ([], None, ("default", None, None)),
    ],
)
def test_cards(cards, model, expected):
    info = read_info(Answer(), json.dumps({"data": cards}), model)
    assert (info.model, info.vocab_size, info.context_length) == expected


def test_no_cards():
    assert read_info(Answer(404), "Not Found", "m").model == "m"
    with pytest.raises(CloudRefusedError) as caught:
        read_info(Answer(401), "{}", None)
    assert "COSTEER_API_KEY" in caught.value.hint
    for text in ("<html>", "[]", '{"data": 5}', '{"data": [5]}', "null"):
        with pytest.raises(CloudProtocolError):
            read_info(Answer(), text, None)


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
def test_retry_after_is_bounded(value, seconds):
    headers = [] if value is None else [(b"retry-after", value.encode("latin-1"))]
    assert retry_after(httpx.Response(429, headers=headers)) == seconds
