"""Parse server-sent events from bytes in arbitrary pieces.

https://html.spec.whatwg.org/multipage/server-sent-events.html, of which only ``data`` matters.
Stricter than the standard in one respect: a line that is not a field is an error, because here it
means that something between us and the server is broken.
"""

from __future__ import annotations

from collections.abc import Iterator

from costeer.cloud.wire.checksum import BrokenStreamError

FIELDS = frozenset({b"data", b"event", b"id", b"retry"})
LONGEST = 64 << 20
"""The most bytes per line: far more than the log-probabilities of any vocabulary take."""


class EventParser:
    """Takes bytes, gives the ``data`` of complete events.

    An event is complete at the empty line after it; an incomplete one is never given.
    """

    def __init__(self) -> None:
        self._line = bytearray()
        self._data: list[bytes] = []
        self._after_cr = False  # the last byte was CR: an LF now belongs to it

    def feed(self, piece: bytes) -> Iterator[str]:
        """Yield the data of each event that ``piece`` completes.

        Raises:
            BrokenStreamError: a line is not a field, is too long, or is not UTF-8.
        """
        for part in piece.splitlines(keepends=True):  # bytes: splits at CR, LF and CRLF only
            body = part
            if self._after_cr and body.startswith(b"\n"):
                self._after_cr = False
                continue
            self._after_cr = body.endswith(b"\r")
            self._line += body.rstrip(b"\r\n")
            if len(self._line) > LONGEST:
                raise BrokenStreamError("a line is too long")
            if body.endswith((b"\r", b"\n")):
                line, self._line = bytes(self._line), bytearray()
                data = self._end_line(line)
                if data is not None:
                    yield data

    def _end_line(self, line: bytes) -> str | None:
        if not line:
            data, self._data = self._data, []
            try:
                return b"\n".join(data).decode() if data else None
            except UnicodeDecodeError:
                raise BrokenStreamError("not UTF-8") from None
        name, colon, value = line.partition(b":")
        if name and name not in FIELDS:
            raise BrokenStreamError("not an event")
        if name == b"data" and colon:
            self._data.append(value.removeprefix(b" "))
        return None
