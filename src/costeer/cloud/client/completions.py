"""The LLM over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. Differences between servers are in
``dialects`` (answers) and ``http_errors``; HTTP itself is in ``transport``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A request that fails before its first step is retried with growing pauses (``retry``). One that
breaks later is resumed from the prompt and the tokens so far, so the steps are those of an
undisturbed stream. A stream that ends after an end-of-text token says so in the same chunk, so a
connection cut right after it does not look unfinished. Steps from our own server are used only if
their checksum is right (``checksum``). Read timeouts are in ``timeouts``.

Our own server need not read a prompt twice: a prompt that continues an earlier response refers to
it (``history``), the stream is compressed, and a response that such a request replaces is read to
its end, so that its connection stays open. With other servers, aborting closes the connection; a
new one is then opened in the background.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from collections.abc import Sequence as AbstractSequence
from contextlib import closing
from dataclasses import replace

import httpx

from costeer.cloud.base import CloudInfo, CloudStep, Recorder, check_request
from costeer.cloud.client import dialects
from costeer.cloud.client.completion_stream import (
    CompletionStream,
    HiddenTokenError,
    LateRefusalError,
    read_text,
    until_finished,
)
from costeer.cloud.client.history import PrefixRef, ResponseHistory, SentResponse
from costeer.cloud.client.http_errors import TRANSIENT, transient
from costeer.cloud.client.model_info import read_info
from costeer.cloud.client.retry import RetryableError, RetryPolicy, RetryState
from costeer.cloud.client.server_limits import ServerLimits
from costeer.cloud.client.timeouts import ReadTimeouts
from costeer.cloud.client.transport import Transport
from costeer.cloud.stop import Stop, either
from costeer.cloud.wire import logprobs as wire
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.exceptions import CloudProtocolError


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
        self._timeouts = ReadTimeouts(timeout, stall)
        self._transport = Transport(url, api_key, record, self._timeouts)
        self._model = model
        self._policy = RetryPolicy(retries, backoff)
        self._info: CloudInfo | None = None
        self._limits = ServerLimits()
        self._history = ResponseHistory()

    def info(self) -> CloudInfo:
        """Return what ``/v1/models`` says; fields it does not mention are None."""
        return self._described(self._transport.closed)

    def _described(self, stop: Stop) -> CloudInfo:
        if self._info is None:
            self._info = self._ask_info(stop)
            self._transport.is_costeer = self._info.continues
        caps = [cap for cap in (self._info.max_top_k, self._limits.top_k) if cap is not None]
        return replace(self._info, max_top_k=min(caps, default=None))

    def stream(
        self,
        prompt_ids: AbstractSequence[int],
        top_k: int,
        max_tokens: int,
        stop: Stop | None = None,
    ) -> Generator[CloudStep, None, None]:
        """See ``CloudModel``. Closing the generator closes the connection at once.

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
        # Now, not at the first step: a caller that closes another stream after this call relies on
        # that stream being marked as replaced.
        return self._stoppable(prompt, top_k, max_tokens, self._history.find_prefix(prompt), stop)

    def close(self) -> None:
        """Close the connections; requests under way and pauses end at once."""
        self._transport.close()

    def _stoppable(
        self,
        prompt: tuple[int, ...],
        k: int,
        max_tokens: int,
        reference: PrefixRef | None,
        stop: Stop | None,
    ) -> Generator[CloudStep, None, None]:
        with either(self._transport.closed, stop) as both:
            yield from self._resumed(prompt, k, max_tokens, reference, both)

    def _resumed(
        self,
        prompt: tuple[int, ...],
        k: int,
        max_tokens: int,
        reference: PrefixRef | None,
        stop: Stop,
    ) -> Generator[CloudStep, None, None]:
        """Run attempts, each from where the last one broke."""
        given: list[int] = []
        state = RetryState(self._policy, stop)
        alone = False  # whether the next position is requested by itself
        while len(given) < max_tokens:
            before, most = len(given), 1 if alone else max_tokens - len(given)
            begun = self._history.begin((*prompt, *given))
            try:
                with closing(self._attempt(begun, k, most, reference, stop)) as steps:
                    for step in steps:
                        state.progressed()
                        if len(given) == max_tokens:  # more than was asked for
                            return
                        given.append(step.token)
                        yield step
                full = len(prompt) + len(given) == self.info().context_length
                cut_short = alone or len(given) - before == self._limits.max_tokens
                if full or begun.replaced or not cut_short:
                    return
                alone = False
            except HiddenTokenError:
                if most == 1:
                    raise CloudProtocolError("The server hides a token.", dialects.FLAGS) from None
                alone = True
            except (RetryableError, CloudProtocolError) as error:
                if begun.replaced:  # unreachable_error waits for the rest
                    return
                if len(given) < max_tokens:  # otherwise only the end of the stream is missing
                    state.failed(self._again(error))
            reference = None  # after a failure, send the whole prefix

    def _again(self, error: RetryableError | CloudProtocolError) -> RetryableError:
        """Make a failure retryable; a bad response only if this server has answered before."""
        if isinstance(error, RetryableError):
            return error
        if not self._timeouts.has_answered:
            raise error
        return RetryableError(error, permanent=True)

    def _attempt(
        self, begun: SentResponse, k: int, max_tokens: int, reference: PrefixRef | None, stop: Stop
    ) -> Generator[CloudStep, None, None]:
        """Run one stream; adapt the request where the server refuses it."""
        info, prompt = self._described(stop), tuple(begun.ids)
        if not info.continues:
            reference = None
        if info.context_length is not None and not info.continues:
            # some servers refuse a request that may not fit; ours stops when the context is full
            max_tokens = max(min(max_tokens, info.context_length - len(prompt)), 1)
        while True:
            compact, cap = self._limits.compact, self.info().max_top_k
            asked = k if cap is None else min(k, cap)
            most = self._limits.limit(max_tokens)
            if reference is not None:
                body = reference.body() | {"max_tokens": most, "logprobs": asked}
            else:
                body = self._body(prompt, asked, most, compact=compact)
            with self._transport.post("completions", prompt, body, stop) as (response, exchange):
                status = response.status_code
                if status == httpx.codes.OK:
                    answer = CompletionStream(response, exchange)
                    try:
                        yield from self._steps(answer, begun, asked, most, stop, compact=compact)
                        return
                    except LateRefusalError as late:
                        status, text = late.status, late.text
                else:
                    text = read_text(response, exchange)
            if reference is not None and status in (400, 404):
                self._history.forget(reference.response)  # the server may have restarted
                reference = None
            elif status in TRANSIENT:
                raise transient(response, text)
            else:
                self._limits.adapt(status, text, asked, most, compact=compact)

    def _body(
        self, prompt: tuple[int, ...], k: int, max_tokens: int, *, compact: bool
    ) -> dict[str, object]:
        body = {
            "model": self._model or self.info().model,
            "prompt": prompt,
            "max_tokens": max_tokens,
            "temperature": 0,
            "logprobs": k,
            "stream": True,
            **dialects.fields(self.info(), max_tokens),
        }
        if compact:
            body["logprobs_encoding"] = wire.ENCODING
        return body

    def _steps(
        self,
        answer: CompletionStream,
        begun: SentResponse,
        k: int,
        most: int,
        stop: Stop,
        *,
        compact: bool,
    ) -> Iterator[CloudStep]:
        """Yield at most ``most`` steps of one answer; raise RetryableError if it breaks off."""
        info, count, prompt = self.info(), 0, tuple(begun.ids)
        checksum = StreamChecksum(prompt) if compact and info.continues else None
        try:
            for choice in until_finished(answer.choices(), checksum):
                found = dialects.steps(choice, k, info.vocab_size)
                if dialects.hidden(choice, count + len(found)):
                    raise HiddenTokenError
                for step in found:
                    if not step.top_ids.size:
                        raise CloudProtocolError(
                            "The server sends no log-probabilities.", dialects.FLAGS
                        )
                    count += 1
                    self._timeouts.answered(prompt)
                    begun.add(answer.id, step.token)
                    yield step
        except GeneratorExit:
            if not stop.is_set():
                self._leave(answer, ended=count >= most or (info.continues and begun.replaced))
            raise
        finally:
            begun.live = False
        if not count:
            raise CloudProtocolError("The server ended the answer without a token.", dialects.FLAGS)

    def _leave(self, answer: CompletionStream, *, ended: bool) -> None:
        """Reuse the connection of an answer that is about to end, or open another one."""
        if ended:
            answer.drain()
        elif not self.info().continues:
            self._transport.preconnect()

    def _ask_info(self, stop: Stop) -> CloudInfo:
        state = RetryState(self._policy, stop)
        while True:
            try:
                with self._transport.get("models", stop) as (response, exchange):
                    text = read_text(response, exchange)
                if response.status_code in TRANSIENT:
                    raise transient(response, text)
                return read_info(response, text, self._model)
            except RetryableError as failure:
                state.failed(failure)
            except CloudProtocolError as error:
                state.failed(RetryableError(error, permanent=True))
