"""The text of an HTML mail, without what it quotes. The markup is never rendered or followed."""

from __future__ import annotations

from collections import Counter
from html.parser import HTMLParser

_PARAGRAPHS = {"p", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "pre"}
_BLOCKS = {*_PARAGRAPHS, "div", "br", "li", "tr", "hr"}
_HIDDEN = {"script", "style", "head", "title", "blockquote"}
_VOID = {"br", "hr", "img", "meta", "link", "input", "area", "base", "col", "source", "wbr"}
_QUOTES = (
    "gmail_quote",
    "gmail_signature",
    "moz-cite-prefix",
    "moz-signature",
    "yahoo_quoted",
    "divrplyfwdmsg",
    "appendonsend",
)


def html_text(markup: str) -> str:
    """Plain text; quotes and signatures that mail programs mark as such are left out."""
    parser = _Text()
    parser.feed(markup)
    parser.close()
    lines = (" ".join(line.split()) for line in "".join(parser.parts).split("\n"))
    return "\n".join(lines).strip()


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: list[str] = []  # open elements from the first hidden one on
        self._open: Counter[str] = Counter()  # the same, counted, so that looking is fast

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if self._hidden or tag in _HIDDEN or _is_quote(dict(attrs)):
            if tag not in _VOID:
                self._hidden.append(tag)
                self._open[tag] += 1
        elif tag in _BLOCKS:
            self.parts.append("\n\n" if tag in _PARAGRAPHS else "\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if not self._hidden and tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._open[tag]:
            self._close(tag)
        elif not self._hidden and tag in _BLOCKS:
            self.parts.append("\n")

    def _close(self, tag: str) -> None:
        """End the innermost element of this name, and whatever was left open inside."""
        ended = ""
        while ended != tag:
            ended = self._hidden.pop()
            self._open[ended] -= 1

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data.replace("\n", " "))


def _is_quote(attrs: dict[str, str | None]) -> bool:
    names = f"{attrs.get('class') or ''} {attrs.get('id') or ''}".lower()
    return any(quote in names for quote in _QUOTES)
