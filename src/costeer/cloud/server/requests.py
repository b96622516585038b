"""The body of ``POST /v1/completions``: OpenAI's format, restricted to what this server does.

Format: https://platform.openai.com/docs/api-reference/completions/create; of vLLM's additions
(https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html) ``ignore_eos`` and
``return_tokens_as_token_ids``; our own ``logprobs_encoding: "base64"`` (see ``wire``)
and ``continue`` (see ``responses``).
Deviations: greedy only, so an absent temperature means 0; unknown fields are ignored.
Messages name fields, never values: a value may be part of a prompt.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from costeer.cloud.wire.logprobs import ENCODING
from costeer.serving.errors import ApiError

INHERITED = (
    "model",
    "logprobs",
    "logprobs_encoding",
    "return_tokens_as_token_ids",
    "stop",
    "ignore_eos",
    "stream",
)
"""Fields that a continuing request inherits, besides ``stream_options``."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may ask for; None means what the model allows."""

    body_bytes: int = 1 << 20
    prompt_tokens: int | None = None
    logprobs: int | None = None
    max_tokens: int | None = None
    context: int | None = None  # the most tokens of an answer, whatever max_tokens says
    stops: int = 16
    stop_length: int = 1_000  # characters per stop text
    spelled: int = 4_096  # log-probabilities per token in plain JSON; more in the compact form only
    whole: int = 1 << 18  # max_tokens times logprobs of an answer that is not streamed
    queue: int = 32  # waiting requests; one more gets 429
    window: int = 32  # steps computed ahead of a slow reader
    stall_seconds: float = 20.0  # a client that reads less than 40 kB in this time is cut off


@dataclass(frozen=True, slots=True)
class Continuation:
    """``"continue": {"id": ..., "keep": n}``: the first n ids of an earlier response."""

    id: str
    keep: int  # of prompt and answer together
    replace: bool  # whether to end the response


@dataclass(frozen=True, slots=True)
class CompletionRequest:
    """A valid request; the prompt is still text or ids."""

    prompt: str | tuple[int, ...]
    model: str | None
    max_tokens: int
    logprobs: int | None  # None: not requested
    compact: bool  # logprobs in the form of ``wire``
    token_ids: bool  # tokens spelled "token_id:123"
    stop: tuple[str, ...]
    ignore_eos: bool
    stream: bool
    include_usage: bool

    @property
    def spells_text(self) -> bool:
        """Whether chunks have text. A compact stream has ids alone, because lengths tell texts."""
        return not (self.compact and self.stream and self.logprobs is not None)


def parse(body: Any, limits: Limits) -> CompletionRequest:
    """Validate a decoded JSON body.

    Raises:
        ApiError: status 400, naming the field.
    """
    if not isinstance(body, dict):
        raise ApiError(400, "The body must be a JSON object.")
    _refuse_unsupported(body)
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise _invalid("stream_options", "an object")
    max_tokens = _integer(body, "max_tokens", 1, limits.max_tokens, default=16)
    request = CompletionRequest(
        prompt=_prompt(body.get("prompt")),
        model=_string(body, "model"),
        max_tokens=min(max_tokens, limits.context or max_tokens),
        logprobs=_logprobs(body, limits),
        compact=_compact(body),
        token_ids=_flag(body, "return_tokens_as_token_ids"),
        stop=_stop(body.get("stop"), limits),
        ignore_eos=_flag(body, "ignore_eos"),
        stream=_flag(body, "stream"),
        include_usage=_flag(options, "include_usage"),
    )
    _check_size(request, limits)
    return request


def inherited_options(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields of a valid body that a continuing request inherits."""
    kept = {name: body[name] for name in INHERITED if body.get(name) is not None}
    if (body.get("stream_options") or {}).get("include_usage"):
        kept["stream_options"] = {"include_usage": True}
    return kept


def _check_size(request: CompletionRequest, limits: Limits) -> None:
    """Refuse what would fill memory with one answer or block the event loop."""
    wide = request.logprobs or 0
    if wide > limits.spelled and not request.compact:
        message = (
            f"More than {limits.spelled:,} logprobs are sent in the compact form only "
            f'(logprobs_encoding "{ENCODING}").'
        )
        raise ApiError(400, message, param="logprobs")
    if not request.stream and wide * request.max_tokens > limits.whole:
        message = (
            f"max_tokens times logprobs may be {limits.whole:,} at most where the answer is not "
            "streamed. Ask for less, or set stream."
        )
        raise ApiError(400, message, param="max_tokens")


def continuation(body: Any) -> Continuation | None:
    """Return the ``continue`` field of a decoded JSON body, if there is one.

    Raises:
        ApiError: status 400, naming the field.
    """
    value = body.get("continue") if isinstance(body, dict) else None
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise _invalid("continue", "an object with the id of a response, and keep")
    if type(value.get("keep")) is not int or value["keep"] < 1:
        raise _invalid("continue.keep", "a whole number of at least 1")
    return Continuation(value["id"], value["keep"], _flag(value, "replace"))


def _refuse_unsupported(body: Mapping[str, Any]) -> None:
    for name in ("n", "best_of"):
        if body.get(name) not in (None, 1):
            raise ApiError(400, f"Only {name} = 1 is supported.", param=name)
    for name in ("echo", "suffix", "logit_bias"):
        if body.get(name):
            raise ApiError(400, f"{name} is not supported.", param=name)
    if body.get("temperature"):
        message = "This server is greedy: leave temperature out or set it to 0."
        raise ApiError(400, message, param="temperature")
    for name in ("presence_penalty", "frequency_penalty"):
        if body.get(name):
            raise ApiError(400, f"{name} must be 0: this server is greedy.", param=name)


def _invalid(name: str, expected: str) -> ApiError:
    return ApiError(400, f"{name} must be {expected}.", param=name)


def _prompt(value: Any) -> str | tuple[int, ...]:
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], (str, list)):
        value = value[0]
    if isinstance(value, str) and value:
        return value.encode("utf-8", "replace").decode()  # JSON can spell half a surrogate pair
    # bool is a subclass of int, and True is no token id
    if isinstance(value, list) and value and all(type(item) is int for item in value):
        return tuple(value)
    raise _invalid("prompt", "a text or a list of token ids, not empty, and only one of them")


def _string(body: Mapping[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise _invalid(name, "a text")
    return value


def _flag(body: Mapping[str, Any], name: str) -> bool:
    value = body.get(name)
    if value is not None and not isinstance(value, bool):
        raise _invalid(name, "true or false")
    return bool(value)


def _integer(
    body: Mapping[str, Any], name: str, low: int, high: int | None, *, default: int
) -> int:
    value = body.get(name)
    if value is None:
        return default if high is None else min(default, high)
    if type(value) is not int or value < low or (high is not None and value > high):
        bound = f"of at least {low}" if high is None else f"from {low} to {high}"
        raise _invalid(name, f"a whole number {bound}")
    return value


def _logprobs(body: Mapping[str, Any], limits: Limits) -> int | None:
    value = body.get("logprobs")
    if value is None or value is False:  # 0 is a number: the chosen token's own, and no others
        return None
    return _integer(body, "logprobs", 0, limits.logprobs, default=0)


def _compact(body: Mapping[str, Any]) -> bool:
    value = body.get("logprobs_encoding")
    if value not in (None, ENCODING):
        raise _invalid("logprobs_encoding", f'"{ENCODING}" or absent')
    return value is not None


def _stop(value: Any, limits: Limits) -> tuple[str, ...]:
    stops = [value] if isinstance(value, str) else value or []
    if not isinstance(stops, list) or not all(isinstance(item, str) and item for item in stops):
        raise _invalid("stop", "a text or a list of texts, none of them empty")
    if len(stops) > limits.stops:
        raise _invalid("stop", f"at most {limits.stops} texts")
    if any(len(item) > limits.stop_length for item in stops):
        raise _invalid("stop", f"texts of at most {limits.stop_length:,} characters")
    return tuple(stops)
