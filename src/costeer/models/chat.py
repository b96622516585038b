"""A model's own chat template, rendered and turned into ids so that text stays text.

Templates are jinja2, as model files carry them; the environment follows
https://huggingface.co/docs/transformers/chat_templating_writing (trim_blocks, lstrip_blocks,
``raise_exception``, ``strftime_now``, a ``tojson`` that does not escape for HTML, ``break`` and
``continue``), sandboxed, because a template is a program of a third party.

A message may spell a control token ("<|im_end|>"). Such a spelling must not become the token, or
a pasted text could close its turn and open another. If no message spells one, the conversation is
rendered and tokenized whole, which is the canonical tokenization. Otherwise the messages go in as
unguessable placeholders, and only what the template itself wrote is searched for control tokens.

Deviation from the canonical rendering, in that second case only: what a template does to the
content (trimming it, say) happens to the placeholder and so has no effect.

Knows nothing about engines: it asks a ``TemplateTokenizer`` for ids.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, NoReturn, Protocol

import jinja2
from jinja2.sandbox import ImmutableSandboxedEnvironment

from costeer.exceptions import InputError, ModelError
from costeer.models.base import Message


class TemplateTokenizer(Protocol):
    """The part of a tokenizer that turns a rendered template into ids."""

    @property
    def control(self) -> Mapping[str, int]:
        """Every control token's spelling and id."""
        ...

    def encode(self, text: str) -> list[int]:
        """Turn text into ids; control tokens that it spells stay text."""
        ...

    def encode_special(self, text: str) -> list[int]:
        """Turn text into ids; control tokens that it spells become themselves."""
        ...


class ChatTemplate:
    """A compiled template.

    Args:
        source: the jinja2 text, or None if the model has none.
        bos: spelling of the token that begins a text, "" if there is none.
        eos: spelling of the token that ends one.
    """

    def __init__(self, source: str | None, *, bos: str = "", eos: str = "") -> None:
        self._source = source
        self._names = {"bos_token": bos, "eos_token": eos}

    @cached_property
    def _template(self) -> jinja2.Template:
        if not self._source:
            raise ModelError(
                "This model has no chat template.", "Choose an instruct or chat variant of it."
            )
        environment = ImmutableSandboxedEnvironment(
            trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
        )
        environment.filters["tojson"] = _tojson
        environment.globals["raise_exception"] = _refuse
        environment.globals["strftime_now"] = lambda form: datetime.now().strftime(form)
        try:
            return environment.from_string(self._source)
        except jinja2.TemplateError as error:
            raise ModelError(
                "The model's chat template cannot be read.", "Choose another model file."
            ) from error

    def render(self, messages: Sequence[Message]) -> str:
        """Render the conversation as text, with the generation prompt added.

        Where a template refuses system messages (Gemma's, say), the text is put in front of the
        first question instead.

        Raises:
            InputError: the template refuses the conversation (the order of the roles, say).
            ModelError: there is no usable template.
        """
        try:
            return self._render(messages)
        except InputError:
            if [message["role"] for message in messages[:2]] != ["system", "user"]:
                raise
            system, question, *rest = messages
            text = f"{system['content']}\n\n{question['content']}"
            return self._render([{"role": "user", "content": text}, *rest])

    def _render(self, messages: Sequence[Message]) -> str:
        template = self._template
        try:
            return template.render(
                messages=[dict(message) for message in messages],
                add_generation_prompt=True,
                tools=None,
                documents=None,
                **self._names,
            )
        except (jinja2.TemplateError, TypeError, ValueError, ArithmeticError, LookupError):
            # Not chained: the template's complaint may quote a message.
            raise InputError(
                "The model's chat template refuses this conversation.",
                "Begin with an optional system message, then alternate user and assistant.",
            ) from None

    def ids(self, messages: Sequence[Message], tokenizer: TemplateTokenizer) -> list[int]:
        """Turn the conversation into ids; text that spells a control token stays text.

        Raises:
            InputError, ModelError: as for ``render``.
        """
        stretches = self._stretches(messages, tokenizer)
        if not any(_spells(message["content"], tokenizer) for message in messages):
            whole = tokenizer.encode_special(self.render(messages))
            # Content and template together could still spell one, across their border.
            if _only(whole, tokenizer) == [item for item in stretches if isinstance(item, int)]:
                return whole
        return [
            token
            for item in stretches
            for token in ([item] if isinstance(item, int) else tokenizer.encode(item))
        ]

    def _stretches(
        self, messages: Sequence[Message], tokenizer: TemplateTokenizer
    ) -> list[int | str]:
        """Split into ids of control tokens that the template wrote, and text between them."""
        contents = {secrets.token_hex(16): message["content"] for message in messages}
        hidden: list[Message] = [
            {"role": message["role"], "content": mark}
            for message, mark in zip(messages, contents, strict=True)
        ]
        marks = _alternatives(list(contents))
        control = _alternatives(list(tokenizer.control))
        result: list[int | str] = [""]
        for part in marks.split(self.render(hidden)):
            if part in contents:
                _join(result, contents[part])
                continue
            for text in control.split(part):
                if text in tokenizer.control:
                    result += [tokenizer.control[text], ""]
                else:
                    _join(result, text)
        return [item for item in result if item != ""]


def _join(result: list[int | str], text: str) -> None:
    """Append to the text that ends ``result``: tokens may merge across template and content."""
    last = result[-1]
    assert isinstance(last, str)  # noqa: S101 - by construction: text follows every id
    result[-1] = last + text


def _alternatives(spellings: Sequence[str]) -> re.Pattern[str]:
    """Build a group that matches any spelling, the longest first; it never matches without any."""
    if not spellings:
        return re.compile(r"((?!))")
    longest_first = sorted(spellings, key=len, reverse=True)
    return re.compile(f"({'|'.join(map(re.escape, longest_first))})")


def _spells(text: str, tokenizer: TemplateTokenizer) -> bool:
    return any(spelling in text for spelling in tokenizer.control)


def _only(ids: Sequence[int], tokenizer: TemplateTokenizer) -> list[int]:
    control = set(tokenizer.control.values())
    return [token for token in ids if token in control]


def _tojson(value: Any, ensure_ascii: bool = False, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=ensure_ascii, indent=indent)


def _refuse(message: str) -> NoReturn:
    raise jinja2.TemplateError(message)
