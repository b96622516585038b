"""The LLM over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. One request is an ``attempt``,
retried and resumed by ``resume``. Differences between servers are in ``dialects``
and ``http_errors``; HTTP itself is in ``transport``, read timeouts are in ``timeouts``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A stream that ends after an end-of-text token says so in the same chunk, so a connection cut right
after it does not look unfinished. Steps from our own server are used only if their checksum is
right (``checksum``).

Our own server need not read a prompt twice: a prompt that continues an earlier response refers to
it (``history``), the stream is compressed, and a response that such a request replaces is read to
its end, so that its connection stays open. With other servers, aborting closes the connection; a
new one is then opened in the background.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from weakref import WeakKeyDictionary

from costeer.cloud.base import CloudInfo, CloudStep, Recorder, check_request
from costeer.cloud.cancellation import Stop
from costeer.cloud.client.resume import ResumableCompletion
from costeer.cloud.client.retry import RetryPolicy
from costeer.cloud.client.session import Session
from costeer.cloud.client.timeouts import ReadTimeouts
from costeer.cloud.client.transport import Transport


class CompletionsClient:
    """``CloudModel`` over HTTP. May be used from several threads.

    Args:
        url: of the server, with or without ``/v1``.
        model: which of the server's models; its first one by default.
        api_key: sent as ``Authorization: Bearer``.
        record: called once for every HTTP exchange.
        timeout: seconds without a byte before giving up while the server may still be prefilling.
            A prompt of thousands of tokens takes a small server a minute.
        stall: the same between two tokens, and for a prompt that adds only a few tokens to one
            already answered. Servers that send response headers before the first token get
            ``timeout`` for the whole answer to a new prompt.
        retries: consecutive failures before giving up (see ``retry``).
        backoff: seconds before the first retry; doubled for each further one.

    Raises:
        UsageError: the URL or the key cannot be used.
    """

    def __init__(
        self,
        url: str,
        *,
        model: str | None = None,
        api_key: str | None = None,
        record: Recorder | None = None,
        timeout: float = 120.0,
        stall: float = 30.0,
        retries: int = 5,
        backoff: float = 0.25,
    ) -> None:
        timeouts = ReadTimeouts(timeout, stall)
        policy = RetryPolicy(retries, backoff)
        self._transport = Transport(url, api_key, record, timeouts)
        self._session = Session(self._transport, timeouts, policy, model)
        self._completions: WeakKeyDictionary[
            Generator[CloudStep, None, None], ResumableCompletion
        ] = WeakKeyDictionary()

    def info(self) -> CloudInfo:
        """Return what ``/v1/models`` says; fields it does not mention are None."""
        return self._session.info(self._transport.closed)

    def stream(
        self,
        prompt_ids: Sequence[int],
        top_k: int,
        max_tokens: int,
        stop: Stop | None = None,
        *,
        replaces: Generator[CloudStep, None, None] | None = None,
    ) -> Generator[CloudStep, None, None]:
        """Continue a prompt. Closing the generator closes its connection, unless it was replaced.

        Raises:
            ParameterError: no prompt, or ``top_k`` or ``max_tokens`` below 1.
            StoppedError: ``stop`` was set, or the client closed.
            CloudUnreachableError: no connection, or it kept breaking.
            CloudRefusedError: an error status.
            CloudProtocolError: an answer without usable log-probabilities.
            NotFiniteError: NaN among them.
        """
        prompt = tuple(int(i) for i in prompt_ids)
        check_request(prompt, top_k, max_tokens)
        old = None if replaces is None else self._completions.get(replaces)
        response = None if old is None else old.response
        completion = ResumableCompletion(self._session, prompt, top_k, max_tokens, response)
        steps = completion.steps(stop)
        self._completions[steps] = completion
        return steps

    def close(self) -> None:
        """Close the connections; requests under way and pauses end at once."""
        self._transport.close()
