"""How different servers write a token and its top log-probabilities into a completion chunk.

One function a dialect, from the ``logprobs`` of a choice to steps:

- compact: our own server's (``wire``), asked for with ``logprobs_encoding``;
- openai: vLLM's, with ``return_tokens_as_token_ids``
  (https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html): parallel lists ``tokens``,
  ``top_logprobs`` whose tokens are spelled "token_id:123";
- content: llama-server's (https://github.com/ggml-org/llama.cpp/tree/master/tools/server): a list
  ``content`` whose entries carry ``id``. Written from its documentation; not tried on a real one.

SGLang's ``/generate`` is another path altogether and has no dialect yet. A new one goes into
``DIALECTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from costeer.cloud import wire
from costeer.cloud.base import CloudStep
from costeer.exceptions import CloudProtocolError

PREFIX = "token_id:"
FLAGS = (
    "The server must send log-probabilities with token ids: vLLM needs --max-logprobs N and "
    "return_tokens_as_token_ids, llama-server a version whose /v1/completions takes logprobs; "
    "`costeer serve` does it as it is."
)


def steps(choice: Mapping[str, Any], k: int, vocab_size: int | None) -> list[CloudStep]:
    """The steps in one choice of a chunk: none, one, or several.

    Args:
        choice: ``choices[0]`` of a ``text_completion`` object.
        k: how many log-probabilities were asked for; more are cut off.
        vocab_size: ids must be below it, where it is known.

    Raises:
        CloudProtocolError: there are none, or they cannot be understood.
        NotFiniteError: NaN.
    """
    logprobs = choice.get("logprobs")
    if logprobs is None:
        if choice.get("text"):
            raise CloudProtocolError("The server sends no log-probabilities.", FLAGS)
        return []
    for key, parse in DIALECTS.items():
        if isinstance(logprobs, dict) and key in logprobs:
            try:
                return parse(logprobs, k, vocab_size)
            except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
                break  # not the shape that the key promised
    raise CloudProtocolError("The server's log-probabilities cannot be read.", FLAGS)


def _compact(logprobs: Mapping[str, Any], k: int, vocab_size: int | None) -> list[CloudStep]:
    if logprobs["encoding"] != wire.ENCODING:
        raise ValueError
    found = []
    for token, packed in zip(logprobs["token_ids"], logprobs["top"], strict=True):
        ids, values = wire.decode(packed, vocab_size)
        found.append(CloudStep(_id(token), ids[:k], values[:k]))
    return found


def _openai(logprobs: Mapping[str, Any], k: int, vocab_size: int | None) -> list[CloudStep]:
    rows = zip(logprobs["tokens"], logprobs["top_logprobs"], strict=True)
    return [
        _step(_spelled(token), {_spelled(name): v for name, v in row.items()}, k, vocab_size)
        for token, row in rows
    ]


def _content(logprobs: Mapping[str, Any], k: int, vocab_size: int | None) -> list[CloudStep]:
    return [
        _step(
            _id(entry["id"]),
            {_id(other["id"]): other["logprob"] for other in entry["top_logprobs"]},
            k,
            vocab_size,
        )
        for entry in logprobs["content"]
    ]


DIALECTS: dict[str, Callable[[Mapping[str, Any], int, int | None], list[CloudStep]]] = {
    "encoding": _compact,
    "content": _content,
    "tokens": _openai,
}
"""By the key that gives a dialect away."""


def _step(token: int, row: Mapping[int, float], k: int, vocab_size: int | None) -> CloudStep:
    """A step from an unordered row; -9999 stands for -inf in JSON."""
    ids = np.fromiter(row.keys(), np.int32, len(row))
    values = np.asarray([_number(value) for value in row.values()], np.float32)
    values[values <= -9999.0] = -np.inf
    order = np.lexsort((ids, -values))[:k]
    ids, values = ids[order], values[order]
    wire.check(ids, values, vocab_size)
    return CloudStep(token, ids, values)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError
    return float(value)


def _id(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= np.iinfo(np.int32).max:
        raise TypeError
    return value


def _spelled(name: str) -> int:
    if not name.startswith(PREFIX):
        raise ValueError
    return _id(int(name.removeprefix(PREFIX)))
