"""What the person sees of an answer while it is written: text, with stand-ins restored.

Keeps the text as the models wrote it, too, because that is what the next turn sends.
"""

from __future__ import annotations

from collections.abc import Sequence

from costeer.models.text import TextStream
from costeer.privacy.restore import Restorer


class Display:
    """Feed bytes, get text to show.

    Args:
        stop: strings that end the answer, as the models would write them.
        restorer: from stand-ins to real values.
    """

    def __init__(self, stop: Sequence[str], restorer: Restorer) -> None:
        self._text = TextStream(stop)
        self._restorer = restorer
        self.wire = ""

    @property
    def stopped(self) -> bool:
        """Whether a stop string has come."""
        return self._text.stopped

    def feed(self, raw: bytes, *, final: bool = False) -> str:
        """Add bytes; return the new text that no later byte can change.

        Args and bytes as for ``TextStream.feed``.
        """
        written = self._text.feed(raw, final=final)
        self.wire += written
        return self._restorer.feed(written, final=final or self.stopped)
