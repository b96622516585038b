"""From steps to JSON: the same chunks make streamed and whole responses.

The log-probabilities of a token are always in the chunk of its own step; its text may come later
(``models.text``). Knows nothing about HTTP.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from costeer.cloud.base import CloudStep
from costeer.cloud.server.requests import CompletionRequest
from costeer.cloud.wire.checksum import FIELD, StreamChecksum
from costeer.cloud.wire.logprobs import ENCODING, JSON_FLOOR, encode
from costeer.models.base import Tokenizer
from costeer.models.text import TextStream
from costeer.serving.body import dump


@dataclass(slots=True)
class ChunkBuilder:
    """The chunks of one answer."""

    request: CompletionRequest
    model: str
    tokenizer: Tokenizer
    text: TextStream
    checksum: StreamChecksum
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(8)}")
    created: int = field(default_factory=lambda: int(time.time()))
    offset: int = 0  # characters of text before the current token

    def chunk(self, step: CloudStep, reason: str | None) -> dict[str, Any]:
        """Build the chunk of one step; ``reason`` if it is the last."""
        raw = self.tokenizer.decode_bytes([step.token])
        offset, text = self.offset, self.text.feed(raw, final=reason is not None)
        self.offset += len(text)
        reason = "stop" if self.text.stopped else reason
        shown = text if self.request.spells_text else ""
        return self.frame(shown, self._logprobs(step, offset, reason), reason)

    def frame(self, text: str, logprobs: Any, reason: str | None) -> dict[str, Any]:
        """Build a ``text_completion`` object with one choice."""
        choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return self.wrap([choice])

    def wrap(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """Build a ``text_completion`` object."""
        return {
            "id": self.id,
            "object": "text_completion",
            "created": self.created,
            "model": self.model,
            "choices": choices,
        }

    def _logprobs(self, step: CloudStep, offset: int, reason: str | None) -> dict[str, Any] | None:
        if self.request.logprobs is None:
            return None
        k = self.request.logprobs
        ids, values = step.top_ids[:k], step.top_logprobs[:k]
        if self.request.compact:
            packed = encode(ids, values)
            checksum = self.checksum.next(step.token, packed, reason)
            return {
                "encoding": ENCODING,
                "token_ids": [step.token],
                "top": [packed],
                FIELD: [checksum],
            }
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        return {
            "tokens": [self._spell(step.token)],
            "token_logprobs": [max(float(step.top_logprobs[0]), JSON_FLOOR)],
            "top_logprobs": [{self._spell(i): max(v, JSON_FLOOR) for i, v in pairs}],
            "text_offset": [offset],
        }

    def _spell(self, token: int) -> str:
        """Spell a token as OpenAI does, or as vLLM's "token_id:123" on request."""
        if self.request.token_ids:
            return f"token_id:{token}"
        raw = self.tokenizer.decode_bytes([token])
        if not raw:  # a control token
            return self.tokenizer.vocabulary.tokens[token]
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def frame_sizes(k: int, model: str) -> tuple[int, int]:
    """Return how large compressed events of compact steps may be, whatever is in them.

    Each holds 8 k bytes (``wire.logprobs``). What else differs from step to step, and what base64
    costs after compression, was at most 64 bytes with random ids below 2^18 and random values;
    20 are the least padding.

    Args:
        k: log-probabilities in each step.
        model: its name, which the first event spells out.

    Returns:
        Bytes of every event, and how many more the first one has.
    """
    return 8 * k + 96, 176 + len(dump(model))


def usage(prompt: int, completion: int, cached: int) -> dict[str, Any]:
    """Build the token counts; ``cached`` prompt tokens did not have to be evaluated."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


class WholeBuilder:
    """Joins chunks into one response, kept as the JSON of its parts.

    A row of log-probabilities is ten times larger as Python objects than as JSON.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._logprobs: dict[str, bytearray | str] = {}
        self._last: dict[str, Any] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """Append the next chunk, which has one choice."""
        (choice,) = chunk["choices"]
        self._text.append(choice["text"])
        self._last = chunk
        for name, value in (choice["logprobs"] or {}).items():
            if not isinstance(value, list):
                self._logprobs[name] = value
                continue
            items = self._logprobs.setdefault(name, bytearray())
            if isinstance(items, bytearray):
                items += (b"," if items else b"") + dump(value)[1:-1]

    def body(self, usage: dict[str, Any]) -> bytes:
        """Return a ``text_completion`` object with the usage."""
        logprobs = b",".join(
            dump(name)
            + b":"
            + (b"[%b]" % bytes(value) if isinstance(value, bytearray) else dump(value))
            for name, value in self._logprobs.items()
        )
        (choice,) = self._last["choices"]
        choice = {**choice, "text": "".join(self._text)}
        del choice["logprobs"]
        joined = dump(choice)[:-1] + b',"logprobs":'
        joined += (b"{%b}" % logprobs if self._logprobs else b"null") + b"}"
        head = {name: value for name, value in self._last.items() if name != "choices"}
        return dump(head | {"usage": usage})[:-1] + b',"choices":[%b]}' % joined
