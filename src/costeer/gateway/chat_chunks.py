"""Chat completions: one iterator of chunks serves streamed and whole answers.

https://platform.openai.com/docs/api-reference/chat/streaming
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from costeer.edge.answer import Chunk, Result
from costeer.gateway.extension import ending
from costeer.gateway.logprobs import Spell, entry, trace
from costeer.gateway.requests import Parsed


def usage(result: Result) -> dict[str, Any]:
    """Token counts; the prompt's are those that went up."""
    return {
        "prompt_tokens": result.prompt_tokens,
        "completion_tokens": result.steps,
        "total_tokens": result.prompt_tokens + result.steps,
    }


@dataclass(slots=True)
class ChatChunks:
    """The chunks of one answer."""

    request: Parsed
    spell: Spell
    id: str = field(default_factory=lambda: f"chatcmpl-{secrets.token_hex(12)}")
    created: int = field(default_factory=lambda: int(time.time()))

    async def stream(
        self, chunks: AsyncIterator[Chunk], result: Result
    ) -> AsyncIterator[dict[str, Any]]:
        """From the steps of an answer to ``chat.completion.chunk`` objects."""
        yield self._chunk({"role": "assistant", "content": ""}, None)
        async for chunk in chunks:
            made = self._step(chunk, result)
            if made is not None:
                yield made
        yield self._chunk({}, result.finish_reason) | ending(result)
        if self.request.include_usage:
            yield self._object("chat.completion.chunk", []) | {"usage": usage(result)}

    def _step(self, chunk: Chunk, result: Result) -> dict[str, Any] | None:
        shown = self.request.top is not None and not chunk.end
        if not (chunk.text or shown or self.request.trace):
            return None
        entries = [entry(chunk.step, self.request.top or 0, self.spell)] if shown else None
        made = self._chunk({"content": chunk.text}, None, entries)
        if self.request.trace:
            made["costeer"] = trace(chunk.step, result, self.spell)
        return made

    def _chunk(
        self, delta: dict[str, Any], reason: str | None, entries: list[Any] | None = None
    ) -> dict[str, Any]:
        logprobs = None if entries is None else {"content": entries, "refusal": None}
        choice = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        made = self._object("chat.completion.chunk", [choice])
        return made | {"usage": None} if self.request.include_usage else made

    def _object(self, kind: str, choices: list[Any]) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": self.created,
            "model": self.request.model,
            "choices": choices,
        }

    async def whole(self, chunks: AsyncIterator[Chunk], result: Result) -> dict[str, Any]:
        """The finished ``chat.completion`` object."""
        text, entries, traces = [], [], []
        async for made in self.stream(chunks, result):
            for choice in made["choices"]:
                text.append(choice["delta"].get("content", ""))
                entries += (choice["logprobs"] or {}).get("content", [])
            traces += [made["costeer"]] if "position" in made.get("costeer", {}) else []
        logprobs = None if self.request.top is None else {"content": entries, "refusal": None}
        message = {"role": "assistant", "content": "".join(text), "refusal": None}
        choice = {
            "index": 0,
            "message": message,
            "logprobs": logprobs,
            "finish_reason": result.finish_reason,
        }
        made = self._object("chat.completion", [choice]) | {"usage": usage(result)}
        return made | ending(result, traces if self.request.trace else None)
