"""Turn token bytes into text as they arrive: whole characters, and never past a stop string.

The device and the server share it. Knows nothing about models.
"""

from __future__ import annotations

import codecs
from collections.abc import Sequence

from costeer.exceptions import ParameterError


class TextStream:
    """Takes bytes, gives the text that no later byte can change.

    Args:
        stop: strings that end the answer; they are not part of it.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        if any(not text for text in stop):
            raise ParameterError("A stop string must not be empty.")
        self._stop = tuple(stop)
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._held = ""
        self.stopped = False

    def feed(self, raw: bytes, *, final: bool = False) -> str:
        """Add bytes; return the new text that no later byte can change.

        Args:
            raw: the bytes of one or more tokens; may end inside a character.
            final: nothing follows; return the buffered rest too.
        """
        if self.stopped:
            return ""
        self._held += self._decoder.decode(raw, final)
        found = [at for at in map(self._held.find, self._stop) if at >= 0]
        if found:
            self.stopped = True
            shown, self._held = self._held[: min(found)], ""
            return shown
        keep = 0 if final else self._possible_stop()
        cut = len(self._held) - keep
        shown, self._held = self._held[:cut], self._held[cut:]
        return shown

    def _possible_stop(self) -> int:
        """Return the length of the longest tail that may begin a stop string."""
        longest = max(map(len, self._stop), default=1) - 1
        for length in range(min(longest, len(self._held)), 0, -1):
            tail = self._held[-length:]
            if any(stop.startswith(tail) for stop in self._stop):
                return length
        return 0
