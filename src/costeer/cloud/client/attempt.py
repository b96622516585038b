"""One request for steps, and the response to it while it arrives.

Where the server refuses the form of the request, it is asked again in another one (``dialects``,
``server_limits``). Knows nothing about retries: whatever breaks, ``resume`` begins
another attempt.
"""

from __future__ import annotations

from collections.abc import Generator

import httpx2

from costeer.cloud.base import CloudInfo, CloudStep
from costeer.cloud.cancellation import Stop
from costeer.cloud.client import dialects
from costeer.cloud.client.completion_stream import (
    CompletionStream,
    HiddenTokenError,
    LateRefusalError,
    read_text,
)
from costeer.cloud.client.history import PrefixRef
from costeer.cloud.client.http_errors import TRANSIENT, transient_error
from costeer.cloud.client.session import Session
from costeer.cloud.wire import logprobs as wire
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.exceptions import CloudProtocolError


class Attempt:
    """One request and its response.

    Args:
        session: the server.
        prompt: token ids to continue.
        prefix: the same prompt in terms of an earlier response, where there is one.
        top_k: log-probabilities per step.
        max_tokens: the most steps.
        stop: cuts the connection.

    Attributes:
        response: the response as the history remembers it.
        max_tokens: the most steps.
        received: the steps so far.
    """

    def __init__(
        self,
        session: Session,
        prompt: tuple[int, ...],
        prefix: PrefixRef | None,
        top_k: int,
        max_tokens: int,
        stop: Stop,
    ) -> None:
        self._session = session
        self._prompt = prompt
        self._prefix = prefix
        self._top_k = top_k
        self._stop = stop
        self.response = session.history.begin(prompt)
        self.max_tokens = max_tokens
        self.received = 0

    def steps(self) -> Generator[CloudStep, None, None]:
        """Yield the steps of the response.

        Raises:
            RetryableError: the connection or the response broke off.
            HiddenTokenError: the server generated a token without showing it.
            CloudError: see ``CompletionsClient.stream``.
        """
        self._info = self._session.info(self._stop)
        try:
            while True:
                body = self._body()
                written = self._prompt if self._prefix is None else self._prefix.rest
                with self._session.transport.post(
                    "completions",
                    self._prompt,
                    body,
                    self._stop,
                    written,
                    ours=self._info.continues,
                ) as (response, exchange):
                    status = response.status_code
                    if status == httpx2.codes.OK:
                        try:
                            yield from self._read(CompletionStream(response, exchange))
                            return
                        except LateRefusalError as late:
                            status, text = late.status, late.text
                    else:
                        text = read_text(response, exchange)
                self._adapt(status, text, response)
        finally:
            self.response.live = False

    def _body(self) -> dict[str, object]:
        """Return the request as the server's limits allow it now."""
        session, info = self._session, self._session.info(self._stop)
        self._compact = session.limits.compact
        self._asked_k = self._top_k if info.max_top_k is None else min(self._top_k, info.max_top_k)
        self._asked_tokens = session.limits.limit(self._fitting_tokens(info))
        if not info.continues:
            self._prefix = None
        if self._prefix is not None:
            return self._prefix.body() | {
                "max_tokens": self._asked_tokens,
                "logprobs": self._asked_k,
            }
        body = {
            "model": session.model(self._stop),
            "prompt": self._prompt,
            "max_tokens": self._asked_tokens,
            "temperature": 0,
            "logprobs": self._asked_k,
            "stream": True,
            **dialects.fields(info, self._asked_tokens),
        }
        return body | {"logprobs_encoding": wire.ENCODING} if self._compact else body

    def _fitting_tokens(self, info: CloudInfo) -> int:
        """Limit the tokens to the context: some servers refuse a request that may not fit."""
        if info.context_length is None or info.continues:  # ours stops when the context is full
            return self.max_tokens
        return max(min(self.max_tokens, info.context_length - len(self._prompt)), 1)

    def _adapt(self, status: int, text: str, response: httpx2.Response) -> None:
        """Prepare another form of the request after a refusal, or raise."""
        if self._prefix is not None and status in (400, 404):
            self._session.history.forget(self._prefix.response)  # the server may have restarted
            self._prefix = None
        elif status in TRANSIENT:
            raise transient_error(response, text)
        else:
            self._session.limits.adapt(
                status, text, self._asked_k, self._asked_tokens, compact=self._compact
            )

    def _read(self, stream: CompletionStream) -> Generator[CloudStep, None, None]:
        """Yield the steps of one stream; raise RetryableError if it breaks off."""
        checked = self._compact and self._info.continues
        checksum = StreamChecksum(self._prompt) if checked else None
        try:
            for choice in stream.choices(checksum):
                steps = dialects.steps(choice, self._asked_k, self._info.vocab_size)
                if dialects.hidden(choice, self.received + len(steps)):
                    raise HiddenTokenError
                for step in steps:
                    if not step.top_ids.size:
                        raise CloudProtocolError(
                            "The server sends no log-probabilities.", dialects.FLAGS
                        )
                    self.received += 1
                    self._session.timeouts.answered(self._prompt)
                    self.response.add(stream.id, step.token)
                    yield step
        except GeneratorExit:
            if not self._stop.is_set():
                self._leave(stream)
            raise
        if not self.received:
            raise CloudProtocolError("The server ended the answer without a token.", dialects.FLAGS)

    def _leave(self, stream: CompletionStream) -> None:
        """Keep the connection of a response that is about to end, or open another one."""
        replaced = self._info.continues and self.response.replaced
        if replaced or self.received >= self._asked_tokens:
            stream.drain()
        elif not self._info.continues:
            self._session.transport.preconnect()
