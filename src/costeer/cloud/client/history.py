"""The client's memory of earlier responses: which one a prompt continues or replaces.

The client's half of ``server.responses``: only what is new has to be sent to our own server. Knows
token ids. Safe to use from several threads.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from costeer.models.prefix import common_length

LATEST = 16
"""How many responses are remembered: a few conversations with a few requests each."""


@dataclass(eq=False, slots=True)
class SentResponse:
    """One response to a request of ours."""

    prompt: int  # how many of the ids are the prompt
    ids: list[int]  # the prompt, then the answer as it arrives
    id: str = ""  # arrives with the first step
    live: bool = True  # still being written
    replaced: bool = False  # by a request of ours; our own server ends it then

    def add(self, name: str, token: int) -> None:
        """Append the token of one more step."""
        self.id = name
        self.ids.append(token)


@dataclass(frozen=True, slots=True)
class PrefixRef:
    """A prompt as the first ``keep`` ids of a remembered response, followed by ``rest``."""

    response: SentResponse
    keep: int
    rest: tuple[int, ...]

    def body(self) -> dict[str, object]:
        """Return the request fields that stand for the whole prompt."""
        continued: dict[str, object] = {"id": self.response.id, "keep": self.keep}
        if self.response.replaced:
            continued["replace"] = True
        return {"continue": continued, "prompt": self.rest}


class ResponseHistory:
    """The latest responses, by what was sent and received."""

    def __init__(self) -> None:
        self._latest: deque[SentResponse] = deque(maxlen=LATEST)
        self._lock = threading.Lock()

    def begin(self, prompt: Sequence[int]) -> SentResponse:
        """Remember a response that has just begun."""
        response = SentResponse(len(prompt), list(prompt))
        with self._lock:
            self._latest.append(response)
        return response

    def forget(self, response: SentResponse) -> None:
        """Forget a response that the server no longer has."""
        with self._lock:
            if response in self._latest:
                self._latest.remove(response)

    def find_prefix(
        self, prompt: Sequence[int], replaces: SentResponse | None = None
    ) -> PrefixRef | None:
        """Express ``prompt`` as a prefix of a remembered response plus new ids, or return None.

        A response can be taken if its own prompt is part of the common prefix. If ``replaces`` can,
        is still being written, and ``prompt`` departs from it, it is taken and marked as replaced:
        the reference asks the server to end it. Otherwise the response with the longest common
        prefix is taken; among equals the latest one still being written.
        """
        with self._lock:
            shared = {sent: common_length(sent.ids, prompt) for sent in self._latest}
        fitting = [sent for sent, n in shared.items() if sent.id and n >= sent.prompt]
        if not fitting:
            return None
        if replaces in fitting and replaces.live and shared[replaces] < len(prompt):
            replaces.replaced = True
            chosen = replaces
        else:
            longest = max(shared[sent] for sent in fitting)
            best = [sent for sent in fitting if shared[sent] == longest]
            chosen = ([sent for sent in best if sent.live] or best)[-1]
        keep = shared[chosen]
        return PrefixRef(chosen, keep, tuple(prompt[keep:]))
