"""The large model by itself, to compare with: no steering, no guard."""

from __future__ import annotations

import time
from collections.abc import Sequence

from costeer.edge.prompts import build, messages
from costeer.edge.runtime import Costeer
from costeer.models.base import Message


def llm_alone(
    costeer: Costeer, query: str | Sequence[Message], *, max_tokens: int = 256
) -> tuple[str, float]:
    """Let the large model write greedily, as it is.

    Returns:
        The text, and its tokens per second from the request to the end.

    Raises:
        CoSteerError: as for ``Costeer.stream``.
    """
    tokenizer, started = costeer.slm.tokenizer, time.perf_counter()
    prompts = build(tokenizer, messages(query), "", costeer.room(max_tokens))
    steps = costeer.cloud.stream(prompts.public, 1, max_tokens)
    ids = [step.token for step in steps if step.token not in tokenizer.eos_ids]
    speed = len(ids) / (time.perf_counter() - started)
    return tokenizer.decode_bytes(ids).decode("utf-8", "replace"), speed
