"""The words of a mail that its sender wrote: without quotes, signatures and forwarded mails.

Written here, because mail-parser-reply 1.36 takes 20 s for a crafted text of 24 kB and cuts lists
off as signatures. Every rule looks at whole lines, so the time grows with the length alone. Answers
between quoted lines are kept. What no rule knows stays in the text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LONGEST_LINE = 1_000

# "On ..., Tom <tom@x.org> wrote:", which may run over three lines, in six languages.
_ATTRIBUTION_END = re.compile(
    r"(?:wrote|writes|schrieb|geschrieben|a écrit|escribió|ha scritto|schreef|escreveu)\b"
    r"[^:]{0,120}:\s*$",
    re.IGNORECASE,
)
_ATTRIBUTION_START = re.compile(
    r"(?:On|Am|Le|El|Il(?: giorno)?|Op|Em)\b[^\n]{0,60}\d"
    r"|[^<\n]{0,120}<[^>\s]{1,200}@[^>\s]{1,200}>",
    re.IGNORECASE,
)
_FORWARDED = re.compile(
    r"(?:-{2,}|_{5,})\s*(?:original message|forwarded message|ursprüngliche nachricht"
    r"|weitergeleitete nachricht|message d'origine|message transféré|mensaje original"
    r"|messaggio originale|oorspronkelijk bericht)\s*-*\s*|begin forwarded message:\s*"
    r"|anfang der weitergeleiteten nachricht:\s*",
    re.IGNORECASE,
)
_HEADER = re.compile(
    r"\*?(?:from|sent|date|to|cc|subject|von|gesendet|datum|an|betreff|de|envoyé|à|objet|enviado"
    r"|para|asunto|da|inviato|a|oggetto|van|verzonden|aan|onderwerp)\s?:\*?\s.*",
    re.IGNORECASE,
)
_MOBILE = re.compile(
    r"(?:sent from (?:my|mail for|outlook|yahoo|proton)|get outlook for|von meinem .{1,40} gesendet"
    r"|gesendet (?:von|mit)|envoyé (?:de|depuis) mon|enviado desde mi|inviato (?:da|dal) mi"
    r"|verstuurd vanaf mijn|diese nachricht wurde von meinem)\b.{0,80}",
    re.IGNORECASE,
)


def own_words(body: str) -> str:
    """What the sender wrote, from the plain text of a mail."""
    lines = [line[:LONGEST_LINE].rstrip() for line in body.replace("\r\n", "\n").split("\n")]
    lines = lines[: _end(lines)]
    kept = [line for index, line in enumerate(lines) if not _is_quote(lines, index)]
    while kept and (not kept[-1] or _MOBILE.fullmatch(kept[-1].strip())):
        kept.pop()
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _end(lines: Sequence[str]) -> int:
    """The first line of the signature, or of a mail that follows whole."""
    for index, line in enumerate(lines):
        if line in ("--", "-- ") or _FORWARDED.fullmatch(line.strip()):
            return index
        if _starts_headers(lines[index : index + 3]) or _quotes_all(lines, index):
            return index
    return len(lines)


def _starts_headers(lines: Sequence[str]) -> bool:
    """Whether three lines look like the headers that Outlook puts above what it quotes."""
    return len(lines) == 3 and all(_HEADER.fullmatch(line.strip()) for line in lines)


def _quotes_all(lines: Sequence[str], index: int) -> bool:
    """Whether an attribution stands here with a quote that nobody has marked by ">"."""
    length = _attribution(lines, index)
    following = [line for line in lines[index + length : index + length + 3] if line]
    return bool(length) and bool(following) and not any(map(_is_marked, following))


def _is_quote(lines: Sequence[str], index: int) -> bool:
    if _is_marked(lines[index]):
        return True
    return any(_attribution(lines, start) > index - start for start in range(index, index - 3, -1))


def _is_marked(line: str) -> bool:
    return line.lstrip().startswith(">")


def _attribution(lines: Sequence[str], index: int) -> int:
    """How many lines, one to three, announce a quote from here on; 0 if they do not."""
    if index < 0 or not _ATTRIBUTION_START.match(lines[index]):
        return 0
    for length in (1, 2, 3):
        part = lines[index : index + length]
        if len(part) < length or not all(part):
            return 0
        if _ATTRIBUTION_END.search(part[-1]):
            return length
    return 0
