"""Parse ``GET /v1/models`` of different servers.

https://platform.openai.com/docs/api-reference/models/list; ``costeer`` is our own server's
extension, ``max_model_len`` is vLLM's, ``meta`` llama-server's (``n_ctx`` is per slot).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx2

from costeer.cloud.base import CloudInfo
from costeer.cloud.client.dialects import LLAMA_SERVER, SERVERS
from costeer.cloud.client.http_errors import refused_error
from costeer.exceptions import CloudProtocolError

UNNAMED = "default"
ABSENT = (404, 405, 501)
MOST_REMEMBERED = 256  # a server that claims more does not make us draft further


def read_info(response: httpx2.Response, text: str, model: str | None) -> CloudInfo:
    """Return the entry of ``model`` (or the first one), as far as the server describes it.

    Raises:
        CloudRefusedError: an error status, except those for a missing path.
        CloudProtocolError: not a list of models.
    """
    if response.status_code in ABSENT:
        return CloudInfo(model or UNNAMED)
    if response.status_code != httpx2.codes.OK:
        raise refused_error(response.status_code, text)
    try:
        data = json.loads(text)["data"]
        cards = [card for card in data if isinstance(card.get("id"), str)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise CloudProtocolError(
            "The server at this URL is not OpenAI-compatible.", "Check the URL."
        ) from None
    if model is not None:
        cards = [card for card in cards if card["id"] == model]
    return _info(cards[0]) if cards else CloudInfo(model or UNNAMED)


def _info(card: Mapping[str, Any]) -> CloudInfo:
    own, meta = _object(card, "costeer"), _object(card, "meta")
    fingerprint = own.get("tokenizer_fingerprint")
    return CloudInfo(
        model=card["id"],
        vocab_size=_count(own.get("vocab_size")) or _count(meta.get("n_vocab")),
        fingerprint=fingerprint if isinstance(fingerprint, str) else None,
        context_length=_count(own.get("context_length"))
        or _count(card.get("max_model_len"))
        or _count(meta.get("n_ctx")),
        eos_ids=_ids(own.get("eos_ids")),
        max_top_k=_count(own.get("max_logprobs")),
        continues=own.get("continue") is True,
        remembered_steps=min(_count(own.get("remembered_steps")) or 64, MOST_REMEMBERED),
        queues=card.get("owned_by") == LLAMA_SERVER,  # each request has a slot and its prefix
        server=next((name for name in SERVERS if name == card.get("owned_by")), None),
    )


def _object(card: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = card.get(name)
    return value if isinstance(value, dict) else {}


def _count(value: Any) -> int | None:
    return value if type(value) is int and value > 0 else None


def _ids(value: Any) -> frozenset[int]:
    if not isinstance(value, list):
        return frozenset()
    return frozenset(item for item in value if type(item) is int and item >= 0)
