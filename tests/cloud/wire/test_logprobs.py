"""Log-probabilities cross the wire exactly."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from costeer.cloud.in_process import InProcess
from costeer.cloud.server.chunks import ChunkBuilder, dump
from costeer.cloud.server.requests import Limits, parse
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.cloud.wire.logprobs import decode, encode
from costeer.exceptions import CloudProtocolError, NotFiniteError
from costeer.models.fake import FakeModel
from costeer.models.text import TextStream
from tests.support.serving import PROMPT


@given(
    st.lists(
        st.tuples(
            st.integers(0, 2**31 - 1),
            st.floats(max_value=0, allow_nan=False, width=32),
        ),
        max_size=200,
        unique_by=lambda pair: pair[0],
    )
)
def test_round_trip_is_exact(pairs: Any) -> None:
    pairs.sort(key=lambda pair: -pair[1])
    ids = np.asarray([i for i, _ in pairs], np.int32)
    values = np.asarray([v for _, v in pairs], np.float32)
    got_ids, got_values = decode(encode(ids, values))
    assert got_ids.tobytes() == ids.tobytes()
    assert got_values.tobytes() == values.tobytes()


@given(st.one_of(st.text(), st.binary().map(lambda raw: base64.b64encode(raw).decode())))
def test_garbage_is_refused_or_sound(text: str) -> None:
    try:
        ids, values = decode(text, vocab_size=1000)
    except (CloudProtocolError, NotFiniteError):
        return
    assert len(set(ids.tolist())) == len(ids) == len(values)
    assert all(0 <= i < 1000 for i in ids)
    assert sorted(values, reverse=True) == values.tolist()
    assert not np.isposinf(values).any()


def packed(ids: list[int], values: Any) -> str:
    return encode(np.asarray(ids, np.int32), np.asarray(values, np.float32))


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("not base64!", CloudProtocolError),
        ("AAAA", CloudProtocolError),
        ("é", CloudProtocolError),
        (packed([1, 2], [-2, -1]), CloudProtocolError),
        (packed([1, 1], [-1, -2]), CloudProtocolError),
        (packed([-1], [-1]), CloudProtocolError),
        (packed([320], [-1]), CloudProtocolError),
        (packed([1], [np.inf]), CloudProtocolError),
        (packed([1, 2], [-1, np.nan]), NotFiniteError),
    ],
)
def test_refuses(text: str, error: type[Any]) -> None:
    with pytest.raises(error):
        decode(text, vocab_size=320)


def test_infinity_and_nothing_pass() -> None:
    assert decode(packed([1, 2], [-1, -np.inf]))[1].tolist() == [-1, -np.inf]
    assert len(decode("")[0]) == 0


def test_a_token_costs_less_than_a_kilobyte() -> None:
    model = FakeModel()
    body = {"prompt": PROMPT, "logprobs": 64, "logprobs_encoding": "base64", "stream": True}
    text = TextStream()
    name, seal = "Qwen2.5-72B-Instruct-Q4_K_M", StreamChecksum(PROMPT)
    answer = ChunkBuilder(parse(body, Limits()), name, model.tokenizer, text, seal)
    for step in InProcess(model).stream(PROMPT, 64, 20):
        frame = b"data: " + dump(answer.chunk(step, None)) + b"\n\n"
        assert len(frame) + len(f"{len(frame):x}") + 4 <= 1000  # with HTTP's own chunk framing
        logprobs = json.loads(frame[6:])["choices"][0]["logprobs"]
        ids, values = decode(logprobs["top"][0])
        assert ids.tolist() == step.top_ids.tolist()
        assert values.tobytes() == step.top_logprobs.tobytes()
