"""Messages of a request as a conversation: text only, instructions in front."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from costeer.gateway.values import whole_characters, wrong
from costeer.models.base import Message
from costeer.serving.errors import ApiError

MOST = 4096
"""Messages of one request."""

TEXT_PARTS = frozenset({"text", "input_text", "output_text"})
INSTRUCTIONS = frozenset({"system", "developer"})


def conversation(value: Any, field: str = "messages") -> list[Message]:
    """Read a list of messages.

    System and developer messages are joined into one, in front, because chat templates take it
    only there. Where there is nothing else, they are the question.

    Raises:
        ApiError: 400, naming the message.
    """
    if not isinstance(value, list) or not 0 < len(value) <= MOST:
        raise wrong(field, f"a list of 1 to {MOST:,} messages")
    read = [_message(one, f"{field}[{index}]") for index, one in enumerate(value)]
    instructions = [text for role, text in read if role in INSTRUCTIONS]
    turns: list[Message] = [
        {"role": "user" if role == "user" else "assistant", "content": text}
        for role, text in read
        if role not in INSTRUCTIONS
    ]
    if not turns:
        instructions, turns = [], [{"role": "user", "content": _joined(instructions)}]
    if turns[-1]["role"] != "user":
        raise wrong(field, "a conversation that ends with a message of the user")
    return [*system(instructions), *turns]


def system(instructions: Sequence[str]) -> list[Message]:
    """The instructions as one message, or none."""
    joined = _joined(instructions)
    return [{"role": "system", "content": joined}] if joined else []


def _joined(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text.strip())


def _message(value: Any, name: str) -> tuple[str, str]:
    if not isinstance(value, dict):
        raise wrong(name, "an object with role and content")
    if value.get("type") not in (None, "message"):
        raise ApiError(
            400, f"{name} is not a message of text.", param=name, code="unsupported_content"
        )
    role = value.get("role")
    if role not in ("user", "assistant", *INSTRUCTIONS):
        raise ApiError(
            400,
            f"{name}.role must be user, assistant, system or developer: no tools are called here.",
            param=f"{name}.role",
            code="unsupported_role",
        )
    return str(role), _content(value.get("content"), f"{name}.content")


def _content(value: Any, name: str) -> str:
    if isinstance(value, str):
        return whole_characters(value)
    if not isinstance(value, list):
        raise wrong(name, "a text or a list of text parts")
    texts = []
    for part in value:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind not in TEXT_PARTS:
            raise ApiError(
                400,
                f"{name} holds something that is not text.",
                param=name,
                code="unsupported_content",
            )
        if not isinstance(part.get("text"), str):
            raise wrong(name, "a text or a list of text parts")
        texts.append(whole_characters(part["text"]))
    return "".join(texts)
