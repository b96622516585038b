"""The routes of records: the person's profile, edited from the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from costeer.exceptions import InputError
from costeer.gateway import values
from costeer.gateway.page.calls import Call, Json
from costeer.gateway.page.storage import Storage, not_found
from costeer.gateway.page.views import record
from costeer.profile.records import KINDS, LONGEST, Draft, Kind, Record
from costeer.profile.sent import can_be_sent, is_sent, mark, unmark

LIMIT = 200
"""Records of one answer, where the request does not say."""
MOST = 10_000


class Records:
    """What may be done with records."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def all(self, call: Call) -> Json:
        """Those that a search finds, or all; and how many there are."""
        store = self._storage.own.records
        limit, offset = _number(call.query, "limit", LIMIT), _number(call.query, "offset", 0)
        question = call.query.get("q", "")
        if question.strip():
            found = store.find(question, active=None, limit=limit)
        else:
            found = store.all(limit=limit, offset=offset)
        total = sum(store.counts().values())
        return {"records": [record(one) for one in found], "total": total}

    def add(self, call: Call) -> Json:
        """Add one."""
        kind, text = _kind(call.body), _text(call.body)
        if kind is None or text is None:
            raise values.wrong("text" if kind else "kind", "given")
        text = _marked(text, kind, bool(_flag(call.body, "sent")))
        return record(self._storage.own.records.add(Draft(kind, text))[0])

    def change(self, call: Call) -> Json:
        """Change one."""
        kind, text = _kind(call.body), _text(call.body)
        active, sent = _flag(call.body, "active"), _flag(call.body, "sent")
        old = self._get(call.id)
        if sent is None:  # a kind that cannot be sent ends it
            sent = is_sent(old) and can_be_sent(kind or old.kind)
        text = _marked(old.text if text is None else text, kind or old.kind, sent)
        edit = self._storage.own.records.edit
        return record(edit(call.id, kind=kind, text=text, active=active))

    def remove(self, call: Call) -> Json:
        """Remove one."""
        self._get(call.id)
        self._storage.own.records.remove([call.id])
        return {}

    def _get(self, number: int) -> Record:
        try:
            return self._storage.own.records.get(number)
        except InputError as error:
            raise not_found(error) from None


def _marked(text: str, kind: Kind, sent: bool) -> str:
    if sent and not can_be_sent(kind):
        raise values.wrong("sent", "false: only a preference or a fact can be sent")
    return mark(text) if sent else unmark(text)


def _flag(body: Mapping[str, Any], name: str) -> bool | None:
    given = body.get(name)
    if given is not None and not isinstance(given, bool):
        raise values.wrong(name, "true or false")
    return given


def _kind(body: Mapping[str, Any]) -> Kind | None:
    given = values.text(body, "kind")
    for kind in KINDS:
        if given == kind:
            return kind
    if given is not None:
        raise values.wrong("kind", f"one of {', '.join(KINDS)}")
    return None


def _text(body: Mapping[str, Any]) -> str | None:
    text = values.text(body, "text")
    if text is not None and (not text.strip() or len(text) > LONGEST):
        raise values.wrong("text", f"a text of up to {LONGEST:,} characters")
    return text


def _number(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name)
    if given is None:
        return default
    if not given.isascii() or not given.isdigit() or len(given) > 9:
        raise values.wrong(name, "a whole number")
    return min(int(given), MOST) if name == "limit" else int(given)
