"""A model that writes a given text, and nearly as much wants to write something else."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from costeer.decoding.steering import log_softmax
from costeer.models.fake import END, START, FakeModel

TURN = [START, *b"assistant\n"]


class ScriptedModel(FakeModel):
    """After the last turn's opening it wants the bytes of ``script``, then the end.

    ``held_at(position)`` keeps it from going on there, as long as the block lasts.
    """

    def __init__(self, script: Any, want: Any = 8.0, **options: Any) -> None:
        super().__init__(peak=1.0, **options)
        self.script = [*script.encode(), END]
        self.want = want
        self._gate = threading.Event()
        self._position = -1

    @contextmanager
    def held_at(self, position: Any) -> Iterator[Any]:
        self._gate.clear()
        self._position = position
        try:
            yield
        finally:
            self._position = -1
            self._gate.set()

    def logprobs(self, ids: Any) -> Any:
        row = super().logprobs(ids)
        row[258:] = -30.0  # control tokens
        written = len(ids) - _opening(list(ids))
        if written == self._position:
            assert self._gate.wait(60)
        row[self.script[min(written, len(self.script) - 1)]] += self.want
        return log_softmax(row)


def _opening(ids: Any) -> Any:
    """Where the last turn's text begins."""
    at = len(ids) - 1 - ids[::-1].index(START)
    return at + len(TURN)
