"""How much a server may be asked for, as its refusals teach it.

Knows token counts and the words of refusals; nothing of HTTP and of answers.
"""

from __future__ import annotations

from costeer.cloud.client.http_errors import REFUSALS, logprobs_cap, refused, tokens_cap, too_long


class Terms:
    """What to ask one server for. Adapted by whichever thread meets a refusal.

    Attributes:
        top_k: the most log-probabilities a token; None while no refusal has named a limit.
        max_tokens: the same for the tokens of one request.
        compact: whether our own form of log-probabilities is asked for.
    """

    def __init__(self) -> None:
        self.top_k: int | None = None
        self.max_tokens: int | None = None
        self.compact = True

    def limit(self, max_tokens: int) -> int:
        """What may be asked for of ``max_tokens``."""
        return max_tokens if self.max_tokens is None else min(max_tokens, self.max_tokens)

    def adapt(self, status: int, text: str, top_k: int, max_tokens: int, *, compact: bool) -> None:
        """Ask in another way, if the refusal is about that.

        Args:
            status: of HTTP.
            text: what the server says.
            top_k: what the refused request asked for.
            max_tokens: the same.
            compact: the same.

        Raises:
            CloudRefusedError: the refusal is about something else.
        """
        error = refused(status, text)
        if status not in REFUSALS:
            raise error
        about_length = too_long(text)
        cap, longest = logprobs_cap(text, top_k), tokens_cap(text, max_tokens)
        if cap is not None:
            self.top_k = cap
        elif longest is not None and not about_length:
            self.max_tokens = longest
        elif compact and not about_length:
            self.compact = False
        elif "logprobs" in text and top_k > 1:  # a cap that the words do not tell
            self.top_k = next(cap for cap in (20, 5, 1) if cap < top_k)
        else:
            self.compact = True  # it was not the field
            raise error
