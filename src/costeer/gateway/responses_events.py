"""Responses: the events of one answer, and the finished object. Nothing is stored.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from costeer.edge.answer import Chunk, Result
from costeer.gateway.extension import ending
from costeer.gateway.logprobs import Spell, trace
from costeer.gateway.requests import Parsed


def usage(result: Result) -> dict[str, Any]:
    """Token counts, by the names of this endpoint."""
    return {
        "input_tokens": result.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": result.steps,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": result.prompt_tokens + result.steps,
    }


@dataclass(slots=True)
class ResponseEvents:
    """The events of one answer."""

    request: Parsed
    spell: Spell
    id: str = field(default_factory=lambda: f"resp_{secrets.token_hex(24)}")
    created: int = field(default_factory=lambda: int(time.time()))
    text: str = ""
    traces: list[Any] = field(default_factory=list)
    _item: str = field(default_factory=lambda: f"msg_{secrets.token_hex(24)}")
    _number: int = 0

    async def stream(
        self, chunks: AsyncIterator[Chunk], result: Result
    ) -> AsyncIterator[dict[str, Any]]:
        """From the steps of an answer to events, in the order that OpenAI's have."""
        started = self._response("in_progress", [], None)
        yield self._event("response.created", response=started)
        yield self._event("response.in_progress", response=started)
        item = self._message("in_progress", [])
        yield self._event("response.output_item.added", output_index=0, item=item)
        yield self._part("response.content_part.added", part=self._text_part(""))
        async for chunk in chunks:
            if self.request.trace:
                self.traces.append(trace(chunk.step, result, self.spell))
            if chunk.text:
                self.text += chunk.text
                yield self._part("response.output_text.delta", delta=chunk.text, logprobs=[])
        yield self._part("response.output_text.done", text=self.text, logprobs=[])
        yield self._part("response.content_part.done", part=self._text_part(self.text))
        finished = self.finished(result)
        item = finished["output"][0]
        yield self._event("response.output_item.done", output_index=0, item=item)
        yield self._event(f"response.{finished['status']}", response=finished)

    async def whole(self, chunks: AsyncIterator[Chunk], result: Result) -> dict[str, Any]:
        """The finished ``response`` object."""
        async for _ in self.stream(chunks, result):
            pass
        return self.finished(result)

    def finished(self, result: Result) -> dict[str, Any]:
        """The ``response`` object of an answer that has ended."""
        status = "incomplete" if result.finish_reason == "length" else "completed"
        message = self._message(status, [self._text_part(self.text)])
        made = self._response(status, [message], usage(result))
        return made | ending(result, self.traces if self.request.trace else None)

    def _event(self, kind: str, **fields: Any) -> dict[str, Any]:
        made = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return made

    def _part(self, kind: str, **fields: Any) -> dict[str, Any]:
        return self._event(kind, item_id=self._item, output_index=0, content_index=0, **fields)

    def _text_part(self, text: str) -> dict[str, Any]:
        return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}

    def _message(self, status: str, content: list[Any]) -> dict[str, Any]:
        return {
            "id": self._item,
            "type": "message",
            "role": "assistant",
            "status": status,
            "content": content,
        }

    def _response(
        self, status: str, output: list[Any], spent: dict[str, Any] | None
    ) -> dict[str, Any]:
        ask = self.request.ask
        return {
            "id": self.id,
            "object": "response",
            "created_at": self.created,
            "status": status,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"}
            if status == "incomplete"
            else None,
            "instructions": self.request.instructions,
            "max_output_tokens": ask.max_tokens,
            "metadata": {},
            "model": self.request.model,
            "output": output,
            "parallel_tool_calls": False,
            "previous_response_id": None,
            "store": False,
            "temperature": ask.temperature,
            "text": {"format": {"type": "text"}},
            "tool_choice": "none",
            "tools": [],
            "top_p": ask.top_p,
            "truncation": "disabled",
            "usage": spent,
        }
