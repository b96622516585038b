"""A progress bar on stderr for long work; shown on terminals only."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Bar:
    """One line of a display, hidden until ``begin``."""

    def __init__(self, display: Progress, line: TaskID) -> None:
        self._display, self._line = display, line

    def begin(self, done: int, total: int) -> None:
        """Show it."""
        self._display.update(self._line, completed=done, total=total)
        self._display.start()

    def advance(self, count: int) -> None:
        """Count ``count`` more as done."""
        self._display.advance(self._line, count)


@contextmanager
def progress(name: str, *, quiet: bool) -> Iterator[Bar]:
    """A bar with its counts and times; gone from the terminal's control at the end."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from costeer.cli.show import stderr_console

    console = stderr_console()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    clocks = (TimeElapsedColumn(), TimeRemainingColumn())
    silent = quiet or not console.is_terminal
    display = Progress(*columns, *clocks, console=console, disable=silent)
    try:
        yield Bar(display, display.add_task(name, total=None))
    finally:
        display.stop()
