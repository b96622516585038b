"""Links in an answer: where they lead, and whether real values may stand in them.

A cloud that writes ``![](https://its.own/STAND-IN)`` would be told the value by every program that
shows the picture, if the display put it there. So a link gets real values only where the person has
named its host. Written for how browsers read URLs (https://url.spec.whatwg.org), which need no
slashes and take backslashes for them, and for CommonMark, which decodes entities in links.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable

KEPT = 256
"""Characters of what was shown that are looked at again, to know whether a link has begun."""

_TO_THE_END = re.compile(r"(?:<[^<>\n]*|(?<!\S)\S+)\Z")
_FROM_THE_START = re.compile(r"<[^<>\n]*|\S+")
_HOST = re.compile(r"(?:(?:https?|ftps?|wss?):|//|www\.)/*([^/\s?#<>()\[\]\"'`]*)", re.IGNORECASE)


def hosts(texts: Iterable[str]) -> frozenset[str]:
    """The hosts of all links in texts."""
    return frozenset(host for text in texts for host in _hosts(text))


def open_link(text: str) -> int | None:
    """Where the link begins in whose middle a text ends; None where it ends in none."""
    found = _TO_THE_END.search(text)
    return found.start() if found and _hosts(found[0]) else None


def may_be_shown(text: str, at: int, known: Collection[str]) -> bool:
    """Whether what stands at a place is in no link, or in one to known hosts.

    Args:
        text: with the whole link.
        at: the place.
        known: hosts that the person has named.
    """
    start = open_link(text[:at])
    if start is None:
        return True
    link = _FROM_THE_START.match(text, start)
    return link is None or set(_hosts(link[0])) <= set(known)


def _hosts(text: str) -> list[str]:
    plain = html.unescape(text).replace("\\", "/")
    return [host.casefold().rstrip(".,;:!*_") for host in _HOST.findall(plain)]
