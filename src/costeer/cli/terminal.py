"""What may be written to a terminal, and how to write to it without failing.

Text from a server may contain control characters, which can set a terminal's title, fill the
clipboard or overwrite lines. So everything from elsewhere passes through ``clean`` before it is
printed.
"""

from __future__ import annotations

import io
import os
import re
import sys

from costeer.exceptions import UsageError

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Remove control characters other than line ends and tabs."""
    return _CONTROL.sub("", text)


def clean_json(text: str) -> str:
    """Escape the control characters in JSON, so that nothing is lost."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def prepare_streams() -> None:
    """Make the standard streams replace characters that their encoding lacks.

    Raises:
        UsageError: standard output is closed.
    """
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    if sys.stdout is None:
        raise UsageError("Standard output is closed; there is nowhere to write to.")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def discard_output() -> None:
    """Discard buffered output, so that exiting does not fail on it again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
