"""One continuation over as many attempts as it takes, each from where the last one broke.

An attempt that fails before its first step is repeated; one that breaks later is resumed from the
prompt and the tokens so far, so the steps are those of an undisturbed stream. Knows token ids and
``retry``; nothing about HTTP.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing

from costeer.cloud.base import CloudStep
from costeer.cloud.cancellation import Stop, either
from costeer.cloud.client import dialects
from costeer.cloud.client.attempt import Attempt
from costeer.cloud.client.completion_stream import HiddenTokenError
from costeer.cloud.client.history import SentResponse
from costeer.cloud.client.retry import RetryableError, RetryState
from costeer.cloud.client.session import Session
from costeer.exceptions import CloudProtocolError


class ResumableCompletion:
    """The state of one continuation.

    Args:
        session: the server.
        prompt: token ids to continue.
        top_k: log-probabilities per step.
        max_tokens: the most steps.
        replaces: the response that this one takes the place of.

    Attributes:
        response: that of the present attempt; None before the first.
    """

    def __init__(
        self,
        session: Session,
        prompt: tuple[int, ...],
        top_k: int,
        max_tokens: int,
        replaces: SentResponse | None,
    ) -> None:
        self._session = session
        self._prompt = prompt
        self._top_k = top_k
        self._max_tokens = max_tokens
        self._received: list[int] = []
        self._alone = False  # whether the next position is requested by itself
        # Here, not at the first step: the caller may close the replaced stream before that.
        self._prefix = session.history.find_prefix(prompt, replaces)
        self.response: SentResponse | None = None

    def steps(self, stop: Stop | None) -> Generator[CloudStep, None, None]:
        """Yield the steps; errors as for ``CompletionsClient.stream``."""
        with either(self._session.transport.closed, stop) as both:
            retries = RetryState(self._session.policy, both)
            while self._missing:
                attempt = self._begin(both)
                try:
                    with closing(attempt.steps()) as steps:
                        for step in steps:
                            retries.progressed()
                            if not self._missing:  # more than was asked for
                                return
                            self._received.append(step.token)
                            yield step
                    if self._complete(attempt, both):
                        return
                    self._alone = False
                except HiddenTokenError:
                    if attempt.max_tokens == 1:
                        raise CloudProtocolError(
                            "The server hides a token.", dialects.FLAGS
                        ) from None
                    self._alone = True
                except (RetryableError, CloudProtocolError) as error:
                    if attempt.response.replaced:  # nobody reads the rest
                        return
                    if self._missing:  # otherwise only the end of the stream is missing
                        retries.failed(self._retryable(error))
                self._prefix = None  # after a failure, send the whole prompt

    @property
    def _missing(self) -> int:
        return self._max_tokens - len(self._received)

    def _begin(self, stop: Stop) -> Attempt:
        prompt = (*self._prompt, *self._received)
        most = 1 if self._alone else self._missing
        attempt = Attempt(self._session, prompt, self._prefix, self._top_k, most, stop)
        self.response = attempt.response
        return attempt

    def _complete(self, attempt: Attempt, stop: Stop) -> bool:
        """Whether an attempt that ended by itself ended the answer, not only its own request."""
        length = len(self._prompt) + len(self._received)
        full = length == self._session.info(stop).context_length
        cut_short = self._alone or attempt.received == self._session.limits.max_tokens
        return full or attempt.response.replaced or not cut_short

    def _retryable(self, error: RetryableError | CloudProtocolError) -> RetryableError:
        """Make a failure retryable; a bad response only if this server has answered before."""
        if isinstance(error, RetryableError):
            return error
        if not self._session.timeouts.has_answered:
            raise error
        return RetryableError(error, permanent=True)
