"""How the page gets in: a ticket, which works once, is exchanged for a token of scope owner.

The ticket travels in the fragment of the page's address, which browsers send to nobody. Both are
random, 256 bits, and kept in memory only, as hashes; they end with the process.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections.abc import Callable

from costeer.gateway.access import Tokens
from costeer.gateway.tokens import Token

TICKET_SECONDS = 60.0
MOST_TICKETS = 16


class Sessions:
    """Tickets and tokens of the page, beside the tokens of other clients.

    Args:
        others: of all other clients.
        clock: seconds, always rising.
    """

    def __init__(self, others: Tokens, clock: Callable[[], float] = time.monotonic) -> None:
        self._others = others
        self._clock = clock
        self._lock = threading.Lock()
        self._tickets: dict[str, float] = {}
        self._sessions: dict[str, Token] = {}

    @property
    def exists(self) -> bool:
        """Whether another client has a token."""
        return self._others.exists

    def find(self, token: str) -> Token | None:
        """The entry of a token."""
        return self._sessions.get(_digest(token)) or self._others.find(token)

    def issue(self) -> str:
        """Make a ticket."""
        ticket = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._tickets) >= MOST_TICKETS:
                del self._tickets[next(iter(self._tickets))]
            self._tickets[_digest(ticket)] = self._clock()
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """Exchange a ticket for a token; None if it is unknown, used or too old."""
        with self._lock:
            issued = self._tickets.pop(_digest(ticket), None)
            if issued is None or self._clock() - issued > TICKET_SECONDS:
                return None
            token = f"costeer-page-{secrets.token_urlsafe(32)}"
            digest = _digest(token)
            self._sessions[digest] = Token("the page", "owner", digest, int(time.time()))
            return token


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
