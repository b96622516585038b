"""What a server allows, learnt from its refusals.

Knows token counts and error messages; nothing about HTTP or completions.
"""

from __future__ import annotations

from costeer.cloud.client.http_errors import (
    REFUSALS,
    logprobs_cap,
    refused_error,
    tokens_cap,
    too_long,
)


class ServerLimits:
    """The limits of one server. Any thread that is refused adapts them.

    Attributes:
        top_k: the most log-probabilities per token; None until a refusal names a limit.
        max_tokens: the most tokens per request; None until a refusal names a limit.
        compact: whether to request our compact form of log-probabilities.
    """

    def __init__(self) -> None:
        self.top_k: int | None = None
        self.max_tokens: int | None = None
        self.compact = True

    def limit(self, max_tokens: int) -> int:
        """Return how many of ``max_tokens`` may be requested."""
        return max_tokens if self.max_tokens is None else min(max_tokens, self.max_tokens)

    def adapt(self, status: int, text: str, top_k: int, max_tokens: int, *, compact: bool) -> None:
        """Learn from a refusal, or raise it if there is nothing to learn.

        Args:
            status: the HTTP status.
            text: the server's message.
            top_k: of the refused request.
            max_tokens: of the refused request.
            compact: of the refused request.

        Raises:
            CloudRefusedError: the refusal is about something else.
        """
        error = refused_error(status, text)
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
        elif "logprobs" in text and top_k > 1:  # the message does not say which limit
            self.top_k = next(cap for cap in (20, 5, 1) if cap < top_k)
        else:
            self.compact = True  # the compact form was not the cause
            raise error
