"""The request fields of OpenAI's API, and what the gateway does with each.

One table for each endpoint, which the code obeys, the tests walk through, and ``docs/gateway.md``
prints. A field is *honoured*; or *ignored*, which means accepted without effect and named in the
header ``x-costeer-ignored``; or *refused* with status 400, because ignoring it would change what
the answer means. Source of the names: https://platform.openai.com/docs/api-reference
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from costeer.serving.errors import ApiError

Effect = Literal["honoured", "ignored", "refused"]
MOST_NAMED = 20
"""Ignored fields that the header names; a request may invent any number."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field.

    Attributes:
        name: as OpenAI calls it.
        effect: what is done with it.
        note: a remark for the docs and for error messages.
        harmless: of a refused field, whether a value asks for nothing, and is accepted.
    """

    name: str
    effect: Effect
    note: str = ""
    harmless: Callable[[Any], bool] = lambda value: False


def _one_of(*values: Any) -> Callable[[Any], bool]:
    return lambda value: any(value is one or (value == one and type(value) is type(one))
                             for one in values)  # fmt: skip


def _empty(value: Any) -> bool:
    return value in ({}, [])


def _zero(value: Any) -> bool:
    return type(value) in (int, float) and value == 0


def _plain_text(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == "text"


def _plain_format(value: Any) -> bool:
    return isinstance(value, dict) and (value.get("format") is None or _plain_text(value["format"]))


_SAMPLING = (
    Field("temperature", "honoured", "0 to 2; absent: the gateway's own, greedy by default"),
    Field("top_p", "honoured", "0 to 1; 0 is greedy"),
)
_OURS = Field("costeer", "honoured", "`strength`, `context`, `profile`, `trace`, `beginning`")
_IGNORED = tuple(
    Field(name, "ignored")
    for name in ("user", "metadata", "service_tier", "parallel_tool_calls", "prompt_cache_key",
                 "prompt_cache_retention", "prompt_cache_options", "safety_identifier")
)  # fmt: skip
_TOOLS = (
    Field("tools", "ignored", "the answer is text, which `tool_choice: auto` allows"),
    Field("tool_choice", "refused", "only `auto` and `none`", _one_of("auto", "none")),
)
_STORE = Field("store", "refused", "nothing is stored", _one_of(False))

CHAT = (
    Field("model", "honoured", "see the model ids"),
    Field("messages", "honoured", "text only; `developer` counts as `system`"),
    Field("stream", "honoured"),
    Field("stream_options", "honoured", "`include_usage`"),
    Field("max_completion_tokens", "honoured", "at most what fits, beside a context half of it"),
    Field("max_tokens", "honoured", "the older name of `max_completion_tokens`"),
    Field("stop", "honoured", "up to 16 texts"),
    *_SAMPLING,
    Field("seed", "honoured", "the same seed gives the same text; absent: a new one each time"),
    Field("logprobs", "honoured", "of the steered distribution, over the candidates that came"),
    Field("top_logprobs", "honoured", "0 to 20"),
    Field("n", "refused", "only 1", _one_of(1)),
    _OURS,
    *_IGNORED,
    Field("reasoning_effort", "ignored"),
    Field("verbosity", "ignored"),
    Field("prediction", "ignored", "changes the speed only"),
    _TOOLS[0],
    Field("functions", "ignored", "as `tools`"),
    _TOOLS[1],
    Field("function_call", "refused", "only `auto` and `none`", _one_of("auto", "none")),
    Field("response_format", "refused", "only `text`", _plain_text),
    Field("logit_bias", "refused", "not supported", _empty),
    Field("presence_penalty", "refused", "only 0", _zero),
    Field("frequency_penalty", "refused", "only 0", _zero),
    Field("modalities", "refused", 'only `["text"]`', lambda value: value == ["text"]),
    Field("audio", "refused", "not supported"),
    Field("web_search_options", "refused", "not supported"),
    Field("moderation", "refused", "not supported"),
    _STORE,
)

RESPONSES = (
    Field("model", "honoured", "see the model ids"),
    Field("input", "honoured", "a text, or messages of text"),
    Field("instructions", "honoured", "a system message"),
    Field("stream", "honoured"),
    Field("max_output_tokens", "honoured", "at most what fits, beside a context half of it"),
    *_SAMPLING,
    _OURS,
    *_IGNORED,
    Field("stream_options", "ignored"),
    Field("reasoning", "ignored"),
    Field("include", "ignored"),
    Field("truncation", "ignored"),
    Field("max_tool_calls", "ignored"),
    *_TOOLS,
    Field("text", "refused", "only the format `text`", _plain_format),
    Field("top_logprobs", "refused", "only 0; chat completions have them", _zero),
    Field("previous_response_id", "refused", "nothing is stored; send the conversation"),
    Field("conversation", "refused", "nothing is stored; send the conversation"),
    Field("prompt", "refused", "nothing is stored"),
    Field("context_management", "refused", "not supported", _empty),
    Field("moderation", "refused", "not supported"),
    Field("background", "refused", "nothing is stored", _one_of(False)),
    _STORE,
)


def ignored(body: Mapping[str, Any], table: tuple[Field, ...]) -> tuple[str, ...]:
    """Check the fields of a request against a table.

    Returns:
        The names of the fields that have no effect, unknown ones included.

    Raises:
        ApiError: 400, for a refused field with a value that asks for something.
    """
    known = {field.name: field for field in table}
    names = []
    for name, value in body.items():
        field = known.get(name, Field(name, "ignored"))
        if value is None or field.effect == "honoured":
            continue
        if field.effect == "ignored":
            names.append(name)
        elif not field.harmless(value):
            raise ApiError(
                400,
                f"{name} is refused here, because ignoring it would change what the answer means: "
                f"{field.note}.",
                param=name,
                code="unsupported_parameter",
            )
    return tuple(names)


def header(names: tuple[str, ...]) -> str:
    """The value of ``x-costeer-ignored``: a request's own names, made safe for a header."""
    plain = [name for name in names if name.isascii() and name.replace("_", "").isalnum()]
    return ", ".join(name[:40] for name in plain[:MOST_NAMED])


def markdown(table: tuple[Field, ...]) -> str:
    """The table as it stands in ``docs/gateway.md``."""
    rows = [f"| `{field.name}` | {field.effect} | {field.note} |" for field in table]
    return "\n".join(["| field | effect | note |", "|---|---|---|", *rows])
