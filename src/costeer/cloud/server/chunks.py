"""From steps to the answer's JSON: one chunk iterator for streamed and for whole answers.

Text is decoded incrementally (a character may be spread over tokens) and held back while it may
be the beginning of a stop text; the log-probabilities of a token always come with the chunk of its
own step. Knows nothing of HTTP.
"""

from __future__ import annotations

import codecs
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from costeer.cloud.base import CloudStep
from costeer.cloud.server.requests import CompletionRequest
from costeer.cloud.wire.checksum import FIELD, StreamChecksum
from costeer.cloud.wire.logprobs import ENCODING, encode
from costeer.models.base import Tokenizer
from costeer.serving.body import dump

FLOOR = -9999.0
"""Stands for -inf in JSON, which cannot say it (vLLM's choice too); the compact form can."""


class TextStream:
    """Token by token to text, up to the first stop text.

    Args:
        tokenizer: only its ``decode_bytes`` is used.
        stops: texts that end the answer and are not part of it.
    """

    def __init__(self, tokenizer: Tokenizer, stops: tuple[str, ...]) -> None:
        self._tokenizer = tokenizer
        self._stops = stops
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.stopped = False

    def feed(self, token: int) -> str:
        """The text that is certain after one more token."""
        self._held += self._decoder.decode(self._tokenizer.decode_bytes([token]))
        return self._release()

    def flush(self) -> str:
        """The rest; a broken character at the end becomes U+FFFD."""
        if self.stopped:
            return ""
        self._held += self._decoder.decode(b"", True)
        text = self._release()
        if not self.stopped:
            text, self._held = text + self._held, ""
        return text

    def _release(self) -> str:
        hits = [at for at in (self._held.find(stop) for stop in self._stops) if at >= 0]
        if hits:
            self.stopped = True
            text, self._held = self._held[: min(hits)], ""
            return text
        kept = max((_overlap(self._held, stop) for stop in self._stops), default=0)
        cut = len(self._held) - kept
        text, self._held = self._held[:cut], self._held[cut:]
        return text


def _overlap(text: str, stop: str) -> int:
    """The longest end of ``text`` with which ``stop`` begins."""
    lengths = range(min(len(text), len(stop) - 1), 0, -1)
    return next((n for n in lengths if stop.startswith(text[-n:])), 0)


@dataclass(slots=True)
class Answer:
    """The chunks of one answer."""

    request: CompletionRequest
    model: str
    tokenizer: Tokenizer
    text: TextStream
    seal: StreamChecksum
    id: str = field(default_factory=lambda: f"cmpl-{secrets.token_hex(8)}")
    created: int = field(default_factory=lambda: int(time.time()))
    offset: int = 0  # characters of text before the current token

    def chunk(self, step: CloudStep, reason: str | None) -> dict[str, Any]:
        """The chunk of one step; ``reason`` if it is the last."""
        offset, text = self.offset, self.text.feed(step.token)
        if reason is not None:
            text += self.text.flush()
        self.offset += len(text)
        reason = "stop" if self.text.stopped else reason
        return self.frame(text, self._logprobs(step, offset, reason), reason)

    def frame(self, text: str, logprobs: Any, reason: str | None) -> dict[str, Any]:
        """A ``text_completion`` object with one choice."""
        choice = {"index": 0, "text": text, "logprobs": logprobs, "finish_reason": reason}
        return self.wrap([choice])

    def wrap(self, choices: list[dict[str, Any]]) -> dict[str, Any]:
        """A ``text_completion`` object."""
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
            seal = self.seal.next(step.token, packed, reason)
            return {"encoding": ENCODING, "token_ids": [step.token], "top": [packed], FIELD: [seal]}
        pairs = zip(ids.tolist(), values.tolist(), strict=True)
        return {
            "tokens": [self._spell(step.token)],
            "token_logprobs": [max(float(step.top_logprobs[0]), FLOOR)],
            "top_logprobs": [{self._spell(i): max(v, FLOOR) for i, v in pairs}],
            "text_offset": [offset],
        }

    def _spell(self, token: int) -> str:
        """OpenAI's spelling of a token, or vLLM's "token_id:123" where that was asked for."""
        if self.request.token_ids:
            return f"token_id:{token}"
        raw = self.tokenizer.decode_bytes([token])
        if not raw:  # a control token
            return self.tokenizer.vocabulary.tokens[token]
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return "bytes:" + "".join(f"\\x{byte:02x}" for byte in raw)


def usage(prompt: int, completion: int, cached: int) -> dict[str, Any]:
    """Token counts; ``cached`` prompt tokens did not have to be evaluated."""
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


class Whole:
    """The one answer that a stream of chunks spells, kept as the JSON of its parts.

    A row of log-probabilities is ten times larger as Python objects than as text.
    """

    def __init__(self) -> None:
        self._text: list[str] = []
        self._logprobs: dict[str, bytearray | str] = {}
        self._last: dict[str, Any] = {}

    def add(self, chunk: dict[str, Any]) -> None:
        """The next chunk, with one choice."""
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
        """A ``text_completion`` object with the usage."""
        logprobs = b",".join(
            dump(name)
            + b":"
            + (b"[%b]" % bytes(value) if isinstance(value, bytearray) else dump(value))
            for name, value in self._logprobs.items()
        )
        (choice,) = self._last["choices"]
        choice = {**choice, "text": "".join(self._text)}
        del choice["logprobs"]
        opened = dump(choice)[:-1] + b',"logprobs":'
        opened += (b"{%b}" % logprobs if self._logprobs else b"null") + b"}"
        head = {name: value for name, value in self._last.items() if name != "choices"}
        return dump(head | {"usage": usage})[:-1] + b',"choices":[%b]}' % opened
