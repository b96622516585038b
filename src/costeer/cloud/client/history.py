"""Earlier responses, as the client knows them: which one a prompt continues or replaces.

The client's half of ``responses``: to our own server only what is new has to be sent. Knows token
ids. Safe to use from several threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from costeer.models.prefix import common_length

LATEST = 16
"""Responses remembered: a few conversations with a few requests each."""


@dataclass(eq=False, slots=True)
class Known:
    """One response."""

    prompt: int  # how many of the ids are the prompt
    ids: list[int]  # the prompt, then the answer as it comes
    id: str = ""  # comes with the first step
    live: bool = True  # still being written
    replaced: bool = False  # by a request of ours; our own server ends it then

    def add(self, name: str, token: int) -> None:
        """One more step has come."""
        self.id = name
        self.ids.append(token)


@dataclass(frozen=True, slots=True)
class Reference:
    """A prompt in terms of a known response: its first ``keep`` ids, then ``rest``."""

    known: Known
    keep: int
    rest: tuple[int, ...]

    def body(self) -> dict[str, object]:
        """The fields that take the place of the whole prompt, and of what the server remembers."""
        continued: dict[str, object] = {"id": self.known.id, "keep": self.keep}
        if self.known.replaced:
            continued["replace"] = True
        return {"continue": continued, "prompt": self.rest}


class Memory:
    """The latest responses."""

    def __init__(self) -> None:
        self._latest: deque[Known] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    def begin(self, prompt: Sequence[int]) -> Known:
        """Remember a response that has just begun."""
        known = Known(len(prompt), list(prompt))
        with self._lock:
            self._latest.append(known)
        return known

    def forget(self, known: Known) -> None:
        """The server does not know it any more."""
        with self._lock:
            if known in self._latest:
                self._latest.remove(known)

    def refer(self, prompt: Sequence[int]) -> Reference | None:
        """Say ``prompt`` by the response that shares most with it, if one has its whole prompt.

        Where the prompt departs from a response that is still being written, and from no other,
        that one is marked as replaced.
        """
        with self._lock:
            shared = {known: common_length(known.ids, prompt) for known in self._latest}
        fitting = [known for known, n in shared.items() if known.id and n >= known.prompt]
        if not fitting:
            return None
        keep = max(shared[known] for known in fitting)
        best = [known for known in fitting if shared[known] == keep]
        live = [known for known in best if known.live]
        chosen = live[-1] if live else best[-1]
        rest = tuple(prompt[keep:])
        if rest and len(live) == 1:
            chosen.replaced = True
        return Reference(chosen, keep, rest)
