"""Everything in a profile as text, in the clear: JSON lines for programs, Markdown for people."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from costeer.profile.conversations import Conversation, Departure, StoredMessage
from costeer.profile.profiles import Profile
from costeer.profile.records import KINDS, Record

_TITLES = {
    "preference": "Preferences",
    "fact": "Facts",
    "sample": "Writing samples",
    "document": "Documents",
}


def jsonl(profile: Profile) -> Iterator[str]:
    """One line a record, one a guarded value, then one a conversation with all its messages.

    The records' lines can be imported again. What is spent of a budget is not in it, so that no
    import can lower that. The body of a request is text where it is UTF-8, and
    hexadecimal digits where not.
    """
    for record in profile.records.all():
        yield _line({"type": "record", **asdict(record)})
    for value, kind, level in profile.guarded.all():
        yield _line({"type": "guarded value", "value": value, "kind": kind, "level": level})
    for conversation in profile.conversations.all():
        yield _line(
            {
                "type": "conversation",
                **asdict(conversation),
                "messages": [
                    {
                        **asdict(message),
                        "departures": _departures(profile, message),
                        "trace": _trace(profile, message),
                    }
                    for message in profile.conversations.tree(conversation.id)
                ],
                "records": [
                    {"record": choice.record.id, "reason": choice.reason}
                    for choice in profile.conversations.choices(conversation.id)
                ],
            }
        )


def markdown(profile: Profile) -> Iterator[str]:
    """One document, piece by piece: records by kind, guarded values, branches of conversations."""
    yield f"# Profile {profile.name}\n\n"
    for kind in KINDS:
        records = profile.records.all(kind)
        if records:
            yield f"## {_TITLES[kind]}\n\n"
            yield from (_record(record) for record in records)
    if values := profile.guarded.all():
        yield "## Guarded values\n\n"
        yield from (f"{_quote(text)}\n\n*{kind}, {level}*\n\n" for text, kind, level in values)
    for conversation in profile.conversations.all():
        yield from _conversation(conversation, profile.conversations.tree(conversation.id))


def _line(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False) + "\n"


def _departures(profile: Profile, message: StoredMessage) -> list[dict[str, Any]]:
    return [
        {**asdict(departure), "body": body_text(departure)}
        for departure in profile.conversations.departures(message.id)
    ]


def _trace(profile: Profile, message: StoredMessage) -> dict[str, Any] | None:
    trace = profile.traces.get(message.id)
    return None if trace is None else asdict(trace)


def body_text(departure: Departure) -> str:
    """The body of a request as text; hexadecimal digits where it is not UTF-8."""
    try:
        return departure.body.decode("utf-8")
    except UnicodeDecodeError:
        return departure.body.hex()


def _record(record: Record) -> str:
    notes = [f"record {record.id}", *(note for note in (record.title, record.source) if note)]
    notes += [] if record.active else ["off"]
    return f"{_quote(record.text)}\n\n*{_one_line(', '.join(notes))}*\n\n"


def _conversation(conversation: Conversation, tree: Sequence[StoredMessage]) -> Iterator[str]:
    yield f"## Conversation {conversation.id}: {_one_line(conversation.title)}\n\n"
    answers: dict[int | None, list[int]] = defaultdict(list)
    for message in tree:
        answers[message.parent].append(message.id)
    for message in tree:
        siblings = answers[message.parent]
        place = f", {siblings.index(message.id) + 1} of {len(siblings)}" if siblings[1:] else ""
        after = f", after {message.parent}" if message.parent else ""
        yield f"**{message.role}** ({message.id}{after}{place})\n\n{_quote(message.text)}\n\n"


def _quote(text: str) -> str:
    """As a block quote, so that a heading in a text is none of the document's."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text).strip()
