"""Differences between servers: request fields, and the format of log-probabilities.

One function per dialect turns the ``logprobs`` of a choice into steps:

- compact: our own server's (``wire``), requested with ``logprobs_encoding``;
- openai: vLLM's, with ``return_tokens_as_token_ids``
  (https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html): parallel lists ``tokens``,
  ``top_logprobs`` whose tokens are spelled "token_id:123";
- content: llama-server's (https://github.com/ggml-org/llama.cpp/tree/master/tools/server): a list
  ``content`` whose entries carry ``id``.

llama-server hides every token that ends within a character: it holds the text back until the
character is complete, and then shows the last token only. A request for one position therefore
forces it to choose a visible token (``fields``); its top log-probabilities are those of the model's
own logits whatever it chooses. In longer requests its token count reveals hidden tokens
(``hidden``), and their positions are requested one by one. ``docs/servers.md`` has what was tried.

SGLang has no dialect: its ``/v1/completions`` names tokens by their text, which several tokens may
share, and its ``/generate`` is another path and format. A new dialect goes into ``DIALECTS``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from costeer.cloud.base import CloudInfo, CloudStep
from costeer.cloud.wire import logprobs as wire
from costeer.exceptions import CloudProtocolError

PREFIX = "token_id:"
FLAGS = (
    "The server must send log-probabilities with token ids. `costeer serve` and a recent "
    "llama-server always do, vLLM with --max-logprobs N (its default is 20); SGLang does not. "
    "docs/servers.md has the command lines."
)

LLAMA_SERVER, VLLM = "llamacpp", "vllm"
SERVERS = (LLAMA_SERVER, VLLM)
"""Servers whose requests differ, by ``owned_by`` in ``/v1/models``."""

VISIBLE = [["a", 1e6]]
"""A ``logit_bias`` that makes llama-server choose "a", a token that it shows at once."""

LEAST = float(np.log(np.finfo(np.float32).smallest_subnormal))
"""Replaces the log of a probability that llama-server rounded to 0; the true one is not above."""


def fields(info: CloudInfo, max_tokens: int) -> dict[str, Any]:
    """Return the request fields that differ between servers.

    The greedy choice must not depend on penalties. vLLM takes them from the model's
    ``generation_config.json``, llama-server from its command line; the samplers of the latter are
    reduced to the choice of the largest logit.
    """
    if info.server == VLLM:
        return {"return_tokens_as_token_ids": True, "repetition_penalty": 1.0}
    if info.server != LLAMA_SERVER:
        return {"return_tokens_as_token_ids": True}
    plain = {"cache_prompt": True, "samplers": ["top_k"], "top_k": 1}
    if max_tokens == 1:
        return plain | {"logit_bias": VISIBLE}
    return plain | {"timings_per_token": True}


def hidden(choice: Mapping[str, Any], shown: int) -> bool:
    """Return whether the server has generated more tokens than it has shown.

    Args:
        choice: of the latest chunk; servers without a token count hide nothing.
        shown: steps so far, those of this chunk included.
    """
    generated = choice.get("generated")
    return type(generated) is int and generated > shown


def steps(choice: Mapping[str, Any], k: int, vocab_size: int | None) -> list[CloudStep]:
    """Parse the steps in one choice of a chunk: none, one, or several.

    Args:
        choice: ``choices[0]`` of a ``text_completion`` object.
        k: how many log-probabilities were requested; more are cut off.
        vocab_size: ids must be below it; None where it is unknown.

    Raises:
        CloudProtocolError: there are no log-probabilities, or they cannot be parsed.
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
                break  # not the format that the key suggests
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
    return [_entry(entry, k, vocab_size) for entry in logprobs["content"]]


def _entry(entry: Mapping[str, Any], k: int, vocab_size: int | None) -> CloudStep:
    """Parse a step of llama-server; it has the LLM's token even where another one was forced."""
    row = {_id(other["id"]): max(other["logprob"], LEAST) for other in entry["top_logprobs"]}
    step = _step(_id(entry["id"]), row, k, vocab_size)
    if step.top_ids.size and np.float32(_number(entry["logprob"])) < step.top_logprobs[0]:
        return replace(step, token=int(step.top_ids[0]))
    return step


DIALECTS: dict[str, Callable[[Mapping[str, Any], int, int | None], list[CloudStep]]] = {
    "encoding": _compact,
    "content": _content,
    "tokens": _openai,
}
"""Parsers by a key that only one dialect has."""


def _step(token: int, row: Mapping[int, float], k: int, vocab_size: int | None) -> CloudStep:
    """Build a step from an unordered row."""
    ids = np.fromiter(row.keys(), np.int32, len(row))
    values = np.asarray([_number(value) for value in row.values()], np.float32)
    values[values <= wire.JSON_FLOOR] = -np.inf
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
