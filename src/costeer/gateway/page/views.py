"""Conversations, messages, records and departures as the page is shown them."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import Any

from costeer.gateway.logprobs import Spell
from costeer.gateway.page import tokens
from costeer.gateway.page.markdown import render
from costeer.gateway.page.plans import guard_of
from costeer.gateway.page.storage import Storage
from costeer.profile.conversations import Conversation, Departure, StoredMessage
from costeer.profile.export import body_text
from costeer.profile.profiles import Profile
from costeer.profile.records import Record
from costeer.profile.selection import RecordChoice
from costeer.profile.sent import is_sent, unmark

Json = dict[str, Any]


def listed(storage: Storage) -> list[Json]:
    """All conversations, the one changed last first."""
    found = [one for place in storage.places() for one in place.conversations.all()]
    found.sort(key=lambda one: (one.changed_at, one.id), reverse=True)
    return [
        {
            "id": one.id,
            "title": one.title,
            "changed_at": one.changed_at,
            "kept": storage.is_kept(one.id),
        }
        for one in found
    ]


def whole(
    storage: Storage, conversation: Conversation, have: Collection[str] = frozenset()
) -> Json:
    """A conversation with the branch that is shown.

    Args:
        storage: of conversations and records.
        conversation: which one.
        have: numbers of answers whose tokens are left out; those of a long one are megabytes.
    """
    place = storage.place(conversation.id)
    branch = place.conversations.branch(conversation.id)
    return {
        "id": conversation.id,
        "title": conversation.title,
        "kept": storage.is_kept(conversation.id),
        "messages": [_message(place, one, str(one.id) not in have) for one in branch],
        "records": [choice(one) for one in storage.choices(conversation.id)],
    }


def record(one: Record) -> Json:
    """A record of the profile."""
    return {
        "id": one.id,
        "kind": one.kind,
        "text": unmark(one.text),
        "sent": is_sent(one),
        "title": one.title,
        "active": one.active,
        "created_at": one.created_at,
    }


def choice(one: RecordChoice) -> Json:
    """A record and why it is read, or not."""
    chosen = one.record
    return {
        "id": chosen.id,
        "kind": chosen.kind,
        "text": unmark(chosen.text),
        "sent": is_sent(chosen),
        "reason": one.reason,
    }


def ledger(place: Profile, answer: StoredMessage, spell: Spell) -> Json:
    """What left the device for an answer, and what did not."""
    trace = place.traces.get(answer.id)
    left = place.conversations.departures(answer.id)
    return {
        "departures": [_departure(one, spell) for one in left],
        "stayed": {
            "records": 0 if trace is None else trace.records,
            "characters": 0 if trace is None else trace.characters,
        },
        "changed": 0 if trace is None else trace.changed,
    }


def _message(place: Profile, one: StoredMessage, with_tokens: bool) -> Json:
    trace = place.traces.get(one.id) if one.role == "assistant" else None
    packed = trace.details["tokens"] if trace is not None and with_tokens else None
    return {
        "id": one.id,
        "parent": one.parent,
        "role": one.role,
        "text": one.text,
        "html": render(one.text) if one.role == "assistant" else None,
        "siblings": place.conversations.siblings(one.id),
        "tokens": None if packed is None else tokens.unpack(packed),
        "strength": None if trace is None else trace.strength,
        "guard": None if trace is None else guard_of(trace),
        "stand_ins": trace is not None and bool(trace.details.get("stand_ins")),
        "finish_reason": None if trace is None else trace.finish_reason,
    }


def _departure(one: Departure, spell: Spell) -> Json:
    return {
        "when": one.left_at,
        "destination": one.destination,
        "body": body_text(one),
        "text": _text(one.body, spell),
        "bytes_up": one.bytes_up,
        "bytes_down": one.bytes_down,
    }


def _text(body: bytes, spell: Spell) -> str | None:
    """The token ids in a body as text; None if there are none."""
    try:
        sent = json.loads(body)
    except ValueError:
        return None
    ids = _ids(sent.get("prompt")) if isinstance(sent, dict) else None
    return None if ids is None else _spelled(ids, spell)


def _ids(prompt: Any) -> list[int] | None:
    if isinstance(prompt, list) and len(prompt) == 1 and isinstance(prompt[0], list):
        prompt = prompt[0]
    if not isinstance(prompt, list) or not all(type(one) is int and one >= 0 for one in prompt):
        return None
    return prompt


def _spelled(ids: Sequence[int], spell: Spell) -> str | None:
    try:
        pieces = [spell(one) for one in ids]
    except IndexError:  # written with another tokenizer
        return None
    return b"".join(raw or text.encode() for text, raw in pieces).decode("utf-8", "replace")
