"""What a person wrote in mails: mbox files, read message by message, and single .eml files.

A mail counts as the person's own if its From: names one of their addresses; spam, drafts, automatic
replies and mails to lists of theirs do not. Source of the formats: RFC 4155, RFC 5322.
"""

from __future__ import annotations

import email
import email.policy
import email.utils
import mailbox
from collections.abc import Iterator, Sequence
from email.message import EmailMessage, Message
from pathlib import Path

from costeer.profile.importers.base import Found, Skipped, samples, utc
from costeer.profile.importers.html import html_text
from costeer.profile.importers.reply import own_words

LARGEST = 64 << 20
"""Bytes of one mail with its attachments."""
LONGEST_BODY = 1 << 20
_UNWANTED_LABELS = ("spam", "trash", "draft", "chat")
# What the standard library raises for mails that are no mails; the list comes from fuzzing.
_MALFORMED = (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError)


def read_mbox(path: Path, source: str, me: Sequence[str]) -> Iterator[Found]:
    """The own words of every mail in an mbox file."""
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            with box.get_file(key) as file:
                raw = file.read(LARGEST + 1)
            yield from _read(raw, source, me)
    finally:
        box.close()


def read_eml(path: Path, source: str, me: Sequence[str]) -> Iterator[Found]:
    """The own words of one mail."""
    with path.open("rb") as file:
        yield from _read(file.read(LARGEST + 1), source, me)


def _read(raw: bytes, source: str, me: Sequence[str]) -> Iterator[Found]:
    if len(raw) > LARGEST:
        yield Skipped("mail larger than 64 MB", source)
        return
    try:
        yield from list(_own(raw, source, me))
    except _MALFORMED:
        yield Skipped("not a mail that can be read", source)


def _own(raw: bytes, source: str, me: Sequence[str]) -> Iterator[Found]:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    if _sender(message) not in {address.strip().lower() for address in me}:
        yield Skipped("from somebody else", source)
    elif _unwanted(message):
        yield Skipped("spam, draft, deleted or automatic", source)
    else:
        yield from samples(
            own_words(_body(message)), _header(message, "subject"), source, _date(message)
        )


def _sender(message: Message) -> str:
    return email.utils.parseaddr(_header(message, "from"))[1].strip().lower()


def _header(message: Message, name: str) -> str:
    return str(message.get(name) or "")


def _unwanted(message: Message) -> bool:
    labels = _header(message, "x-gmail-labels").lower()
    automatic = _header(message, "auto-submitted").strip().lower() not in ("", "no")
    return automatic or any(label in labels for label in _UNWANTED_LABELS)


def _body(message: Message) -> str:
    if not isinstance(message, EmailMessage):
        return ""
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    content = part.get_content()
    if not isinstance(content, str):
        return ""
    content = content[:LONGEST_BODY]
    return html_text(content) if part.get_content_subtype() == "html" else content


def _date(message: Message) -> str | None:
    header = _header(message, "date")
    return utc(email.utils.parsedate_to_datetime(header).timestamp()) if header else None
