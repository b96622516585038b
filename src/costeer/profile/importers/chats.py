"""What a person wrote to ChatGPT or Claude, from the ``conversations.json`` of their exports.

Only the person's own messages on the branch that was shown last; answers, discarded branches,
instructions and attachments are left out. The formats are not documented by their makers; these
are the exports of 2025 and 2026.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from costeer.profile.importers.base import Found, Skipped, samples, utc

LARGEST = 1 << 30
"""Bytes of an export, which is read as a whole."""
Service = Literal["chatgpt", "claude"]


def read_export(path: Path, source: str) -> Iterator[Found]:
    """The person's words in an export of either service."""
    if path.stat().st_size > LARGEST:
        yield Skipped("larger than 1 GB", source)
        return
    try:
        content = json.loads(path.read_bytes().decode("utf-8-sig"))
    except (ValueError, RecursionError):
        yield Skipped("not JSON", source)
        return
    for conversation in content if isinstance(content, list) else [content]:
        yield from _conversation(conversation, source)


def service(conversation: Any) -> Service | None:
    """Which service a conversation comes from; None if from neither."""
    if isinstance(conversation, dict):
        if isinstance(conversation.get("mapping"), dict):
            return "chatgpt"
        if isinstance(conversation.get("chat_messages"), list):
            return "claude"
    return None


def _conversation(conversation: Any, source: str) -> Iterator[Found]:
    origin = service(conversation)
    if origin is None:
        yield Skipped("no conversation of ChatGPT or Claude", source)
        return
    title = conversation.get("title" if origin == "chatgpt" else "name")
    words = _chatgpt(conversation) if origin == "chatgpt" else _claude(conversation)
    for text, written_at in words:
        yield from samples(text, title if isinstance(title, str) else "", origin, written_at)


def _chatgpt(conversation: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    nodes = {
        str(name): node for name, node in conversation["mapping"].items() if isinstance(node, dict)
    }
    end = conversation.get("current_node")
    if not isinstance(end, str) or end not in nodes:
        end = _newest(nodes)
    for node in _walk(nodes, end, "parent"):
        message = _fields(node.get("message"))
        if _fields(message.get("author")).get("role") == "user" and not _is_hidden(message):
            text = _chatgpt_text(_fields(message.get("content")))
            if text:
                yield text, utc(message.get("create_time"))


def _claude(conversation: Mapping[str, Any]) -> Iterator[tuple[str, str | None]]:
    messages = [message for message in conversation["chat_messages"] if isinstance(message, dict)]
    nodes = {str(message.get("uuid")): message for message in messages}
    if messages and all(isinstance(m.get("parent_message_uuid"), str) for m in messages):
        end = conversation.get("current_leaf_message_uuid")
        known = isinstance(end, str) and end in nodes
        last = end if known else str(messages[-1].get("uuid"))
        messages = _walk(nodes, str(last), "parent_message_uuid")
    for message in messages:
        text = _claude_text(message) if message.get("sender") == "human" else ""
        if text:
            created = message.get("created_at")
            yield text, created if isinstance(created, str) else None


def _walk(nodes: Mapping[str, Any], end: str, parent: str) -> list[dict[str, Any]]:
    """From the first node to ``end``, by the parents; a circle ends it."""
    path: list[dict[str, Any]] = []
    seen: set[str] = set()
    name: Any = end
    while isinstance(name, str) and name in nodes and name not in seen:
        seen.add(name)
        path.append(nodes[name])
        name = nodes[name].get(parent)
    return path[::-1]


def _newest(nodes: Mapping[str, Any]) -> str:
    """The node without children whose message is the newest; "" without nodes."""

    def time(name: str) -> float:
        created = _fields(nodes[name].get("message")).get("create_time")
        return float(created) if isinstance(created, (int, float)) else -1.0

    leaves = [name for name, node in nodes.items() if not node.get("children")]
    return max(leaves or nodes, key=time, default="")


def _chatgpt_text(content: Mapping[str, Any]) -> str:
    if content.get("content_type") not in ("text", "multimodal_text"):
        return ""
    return _join(content.get("parts"))


def _claude_text(message: Mapping[str, Any]) -> str:
    blocks = message.get("content")
    if isinstance(blocks, list):
        texts = [block.get("text") for block in map(_fields, blocks) if _is_text(block)]
        if joined := _join(texts):
            return joined
    return _join([message.get("text")])


def _join(parts: Any) -> str:
    if not isinstance(parts, Sequence) or isinstance(parts, str):
        return ""
    return "\n\n".join(part for part in parts if isinstance(part, str) and part.strip())


def _is_text(block: Mapping[str, Any]) -> bool:
    return bool(block.get("type", "text") == "text")


def _is_hidden(message: Mapping[str, Any]) -> bool:
    return bool(_fields(message.get("metadata")).get("is_visually_hidden_from_conversation"))


def _fields(value: Any) -> dict[str, Any]:
    """An object of JSON; anything else is one without fields."""
    return value if isinstance(value, dict) else {}
