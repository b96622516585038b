"""Stand-ins back to real values, in text that arrives piece by piece.

Text is held back while it may still become a stand-in, or while the character that ends a word is
not known. Whatever the pieces are, the result is that of the whole text.
"""

from __future__ import annotations

from collections.abc import Collection

from costeer.privacy.links import KEPT, may_be_shown, open_link
from costeer.privacy.rewriting import Rewriter


class Restorer:
    """Feed what the models wrote, get what the person reads.

    Args:
        rewriter: from stand-ins to real values.
        hosts: to which links may hold real values (``links``).
    """

    def __init__(self, rewriter: Rewriter, hosts: Collection[str] = ()) -> None:
        self._rewriter = rewriter
        self._hosts = hosts
        self._before = ""  # the end of what went out: whether a word or a link has begun in it
        self._held = ""

    def feed(self, text: str, *, final: bool = False) -> str:
        """Add text; return what no later text can change.

        Args:
            text: the next piece.
            final: nothing follows.
        """
        self._held += text
        whole, begin = self._before + self._held, len(self._before)
        cut = len(whole) if final else self._cut(whole, begin)
        spans = [f for f in self._rewriter.find(whole, begin) if f.start < cut]
        spans = [f for f in spans if may_be_shown(whole, f.start, self._hosts)]
        cut = max([cut, *(found.end for found in spans)])
        pieces, at = [], begin
        for found in spans:
            pieces += [whole[at : found.start], found.new]
            at = found.end
        pieces.append(whole[at:cut])
        if cut > begin:
            self._before = whole[max(0, cut - KEPT) : cut]
        self._held = whole[cut:]
        return "".join(pieces)

    def _cut(self, whole: str, begin: int) -> int:
        """Where text begins that may become an occurrence, or a link that goes on."""
        link = open_link(whole) if self._rewriter.longest else None
        if link is not None:
            return max(begin, link)
        earliest = max(begin, len(whole) - self._rewriter.longest - 64)
        for at in range(earliest, len(whole)):
            inside = at > 0 and whole[at - 1].isalpha()
            starts_word = not inside or whole[at].isdigit() or ord(whole[at]) >= 0x0E00
            if starts_word and self._rewriter.may_begin(whole[at:]):
                return at
        return len(whole)
