"""Requests of both endpoints, read into one form. Knows nothing of HTTP."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from costeer.gateway import fields, values
from costeer.gateway.answering import Ask
from costeer.gateway.extension import TRACED, Extension, extension
from costeer.gateway.messages import conversation, system
from costeer.gateway.model_ids import choose
from costeer.models.base import Message
from costeer.serving.errors import ApiError

LONGEST = 1 << 20
"""Tokens that a request may ask for; less than fits is written in any case."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """One request.

    Attributes:
        ask: the answer that is wanted.
        model: the id as sent, which the answer repeats.
        stream: whether chunks are wanted.
        include_usage: whether the stream ends with the usage.
        top: how many ``top_logprobs`` are wanted; None for no log-probabilities.
        trace: whether each step says what happened.
        ignored: fields without effect.
        instructions: of ``/v1/responses``, which the answer repeats.
    """

    ask: Ask
    model: str
    stream: bool
    include_usage: bool = False
    top: int | None = None
    trace: bool = False
    ignored: tuple[str, ...] = ()
    instructions: str | None = None


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a request is read against."""

    profiles: Collection[str] = ()
    aliases: Collection[str] = ()
    owner: bool = False


def parse_chat(body: Any, around: Surroundings) -> Parsed:
    """Read a request of ``/v1/chat/completions``.

    Raises:
        ApiError: 400 and others, naming the field.
    """
    body = values.json_object(body)
    ignored = fields.ignored(body, fields.CHAT)
    options = body.get("stream_options")
    if options is not None and not isinstance(options, dict):
        raise values.wrong("stream_options", "an object")
    top = _logprobs(body)
    most = values.integer(body, "max_completion_tokens", 1, LONGEST)
    older = values.integer(body, "max_tokens", 1, LONGEST)
    asked = extension(body, owner=around.owner)
    ask = _ask(
        body,
        conversation(body.get("messages")),
        asked,
        around,
        max_tokens=older if most is None else most,
        stop=values.stop_texts(body.get("stop")),
        seed=values.integer(body, "seed", -(2**63), 2**63 - 1),
        candidates=max(top or 0, TRACED if asked.trace else 0, top is not None),
    )
    return Parsed(
        ask=ask,
        model=str(body["model"]),
        stream=values.flag(body, "stream"),
        include_usage=values.flag(options or {}, "include_usage"),
        top=top,
        trace=asked.trace,
        ignored=ignored,
    )


def parse_responses(body: Any, around: Surroundings) -> Parsed:
    """Read a request of ``/v1/responses``; errors as for ``parse_chat``."""
    body = values.json_object(body)
    ignored = fields.ignored(body, fields.RESPONSES)
    instructions = values.text(body, "instructions")
    asked = extension(body, owner=around.owner)
    ask = _ask(
        body,
        _input(body.get("input"), instructions),
        asked,
        around,
        max_tokens=values.integer(body, "max_output_tokens", 1, LONGEST),
        candidates=TRACED if asked.trace else 0,
    )
    return Parsed(
        ask=ask,
        model=str(body["model"]),
        stream=values.flag(body, "stream"),
        trace=asked.trace,
        ignored=ignored,
        instructions=instructions,
    )


def _ask(
    body: Mapping[str, Any],
    messages: list[Message],
    asked: Extension,
    around: Surroundings,
    *,
    max_tokens: int | None,
    stop: tuple[str, ...] = (),
    seed: int | None = None,
    candidates: int = 0,
) -> Ask:
    choice = choose(values.text(body, "model"), around.profiles, around.aliases)
    temperature, top_p = _sampling(body)
    if asked.profile is not None and asked.profile not in around.profiles:
        raise ApiError(
            404, "There is no such profile.", param="costeer.profile", code="profile_not_found"
        )
    return Ask(
        messages=messages,
        context=asked.context,
        profile=asked.profile if asked.profile is not None else choice.profile,
        strength=choice.strength if asked.strength is None else asked.strength,
        max_tokens=max_tokens,
        temperature=temperature,
        top_p=top_p,
        seed=None if seed is None else seed % 2**64,
        stop=stop,
        candidates=candidates,
        priority=int(around.owner),
    )


def _sampling(body: Mapping[str, Any]) -> tuple[float | None, float | None]:
    temperature = values.number(body, "temperature", 0, 2)
    top_p = values.number(body, "top_p", 0, 1)
    if top_p is not None and top_p < 1e-6:
        return 0.0, None  # the likeliest token alone
    if temperature is not None and 0 < temperature < 1e-3:
        return 0.0, top_p  # scores divided by less leave the range of float32
    return temperature, top_p


def _logprobs(body: Mapping[str, Any]) -> int | None:
    top = values.integer(body, "top_logprobs", 0, 20)
    if values.flag(body, "logprobs"):
        return top or 0
    if top:
        raise values.wrong("top_logprobs", "0 unless logprobs is true")
    return None


def _input(value: Any, instructions: str | None) -> list[Message]:
    if isinstance(value, str):
        value = [{"role": "user", "content": value}]
    turns = conversation(value, "input")
    given = [turns[0]["content"]] if turns[0]["role"] == "system" else []
    rest = turns[1:] if given else turns
    return [*system([instructions or "", *given]), *rest]
