"""What may be written to a terminal, and streams that can always be written to.

Text from a server may hold control characters, with which a terminal sets its title, fills the
clipboard or overwrites lines. Everything that came from elsewhere passes ``clean`` before it is
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
    """Without control characters, but for line ends and tabs."""
    return _CONTROL.sub("", text)


def clean_json(text: str) -> str:
    """JSON in which control characters are spelled out; nothing is lost."""
    return _CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def prepare_streams() -> None:
    """Let streams replace what their encoding cannot spell.

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
    """Send what is still to be written nowhere, so that leaving does not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
