"""The ledger as JSON, for the owner: what left the device, and for which client."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from costeer.edge.answer import Result
from costeer.edge.runtime import Costeer

MOST_ANSWERS = 10_000
"""How many answers are kept."""


@dataclass(frozen=True, slots=True)
class AnswerEntry:
    """What left the device for one answer.

    Attributes:
        when: it ended; seconds since the epoch.
        client: the name of the token; "" without one.
        strength: that was asked for; "off" for the large model alone.
        requests: to the cloud, and bytes. Two answers to the same conversation that are written at
            the same time count each other's as well.
    """

    when: float
    client: str
    strength: str
    requests: int
    bytes_up: int
    bytes_down: int


class ClientLedger:
    """The latest answers, by client; used by the event loop's thread only."""

    def __init__(self, most: int = MOST_ANSWERS) -> None:
        self._entries: deque[AnswerEntry] = deque(maxlen=most)

    def record(self, client: str, result: Result) -> None:
        """Note an answer that has ended."""
        spent = (result.requests, result.bytes_up, result.bytes_down)
        self._entries.append(AnswerEntry(time.time(), client, result.strength, *spent))

    def as_json(self) -> list[dict[str, Any]]:
        """The answers, oldest first."""
        return [asdict(entry) for entry in self._entries]


def ledger_json(costeer: Costeer) -> dict[str, Any]:
    """All exchanges, the texts that the cloud knows, and the bodies where they are kept."""
    ledger = costeer.ledger
    return {
        "totals": asdict(ledger.totals),
        "exchanges": [asdict(entry) for entry in ledger.entries],
        "texts": costeer.sent_texts(),
        "forgotten": ledger.forgotten,
        "bodies": [
            {"when": one.when, "what": one.what, "body": one.body.decode("utf-8", "replace")}
            for one in ledger.bodies
        ],
    }
