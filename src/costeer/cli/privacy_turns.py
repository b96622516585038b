"""Answers that ``costeer privacy report`` reads: printed JSON, and stored conversations."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from costeer.exceptions import InputError
from costeer.privacy.report import Turn

if TYPE_CHECKING:
    from costeer.profile.conversations import StoredMessage

MOST_NATS = 1e9
"""What is beyond is no measurement, nor is what is no number."""

HINT = "Give what `costeer generate --json` printed: an object, or one on each line."


def read_turns(text: str) -> list[Turn]:
    """The turns of one JSON object, or of several, one on each line.

    Raises:
        InputError: it is something else.
    """
    if not text.strip():
        raise InputError("The file of answers is empty.", HINT)
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        pass  # several lines, or none of them JSON
    else:
        return [_turn(whole, 1)]
    return [_turn(_parse(line, at), at) for at, line in _lines(text)]


def stored_turns(messages: Sequence[StoredMessage]) -> list[Turn]:
    """The answers of a stored conversation; each goes up with all that came before it.

    A profile keeps what was shown, so values that a guard replaced count as sent, and the evidence
    is not known.

    Raises:
        InputError: nothing was answered.
    """
    turns = []
    for at, message in enumerate(messages):
        if message.role == "assistant":
            asked = tuple(one.text for one in messages[:at] if one.role != "assistant")
            turns.append(Turn(message.text, message.text, asked))
    if not turns:
        raise InputError("The conversation has no answers.", "Choose another --conversation.")
    return turns


def _lines(text: str) -> list[tuple[int, str]]:
    return [(at, line) for at, line in enumerate(text.split("\n"), 1) if line.strip()]


def _parse(line: str, number: int) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InputError(f"Line {number} of the answers is not JSON.", HINT) from None


def _turn(values: Any, number: int) -> Turn:
    if not isinstance(values, dict) or not isinstance(values.get("text"), str):
        raise InputError(f"Line {number} of the answers is not an answer.", HINT)
    asked, answer = _sent(values.get("sent"), number)
    return Turn(
        shown=values["text"],
        answer=values["text"] if answer is None else answer,
        asked=asked,
        evidence=_number(values.get("evidence")),
        exact=values.get("capped") is True,
    )


def _sent(messages: Any, number: int) -> tuple[tuple[str, ...] | None, str | None]:
    """What was asked, and the answer, as they went up; None where the file does not say."""
    if messages is None:
        return None, None
    texts = [
        one["content"]
        for one in (messages if isinstance(messages, list) else [])
        if isinstance(one, dict) and isinstance(one.get("content"), str)
    ]
    if not texts or len(texts) < len(messages):
        raise InputError(f"Line {number} of the answers does not say what was sent.", HINT)
    return tuple(texts[:-1]), texts[-1]


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < MOST_NATS else None
