"""The LLM side over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. What may differ between servers is
in ``dialects`` (answers) and ``http_errors``; HTTP itself is in ``transport``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A request that fails before its first step is repeated with growing pauses (``retry``); one that
dies later is taken up again from the prompt and the tokens so far, so that the steps are those of
an undisturbed stream. A stream that ends after an end-of-text token says so in the same chunk, so
that a connection cut right after it is not mistaken for an unfinished one. What our own server
sends is believed only with its checksum (``checksum``); how long silence is borne is in
``timeouts``.

Our own server is spared repetition: a prompt that continues an earlier response refers to it
(``history``), the stream is compressed, and a response that such a request replaces is read to its
end, so that its connection stays open. Other servers are left by closing the connection; a new one
is then made ready in the background, for the next time.
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
    Answer,
    HiddenTokenError,
    LateRefusalError,
    read_text,
    until_finished,
)
from costeer.cloud.client.history import Known, Memory, Reference
from costeer.cloud.client.http_errors import TRANSIENT, transient
from costeer.cloud.client.model_info import read_info
from costeer.cloud.client.retry import AgainError, Patience, Tries
from costeer.cloud.client.server_limits import Terms
from costeer.cloud.client.timeouts import Waiting
from costeer.cloud.client.transport import Channel
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
        timeout: seconds without a byte after which the server counts as gone while it may still
            be reading a new prompt. A prompt of thousands of tokens takes a small server a minute.
        stall: the same once it has answered: between two tokens, and for a prompt that adds only
            a few to one already answered. Servers that send the head of an answer before its first
            token have ``timeout`` for all of a new prompt's answer.
        retries: failures in a row that are borne (see ``retry``).
        backoff: seconds before the first repetition; doubled for each further one.

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
        self._waiting = Waiting(timeout, stall)
        self._channel = Channel(url, api_key, record, self._waiting)
        self._model = model
        self._patience = Patience(retries, backoff)
        self._info: CloudInfo | None = None
        self._terms = Terms()
        self._memory = Memory()

    def info(self) -> CloudInfo:
        """See ``CloudModel``; what ``/v1/models`` does not say is None."""
        return self._described(self._channel.closed)

    def _described(self, stop: Stop) -> CloudInfo:
        if self._info is None:
            self._info = self._ask_info(stop)
            self._channel.ours = self._info.continues
        caps = [cap for cap in (self._info.max_top_k, self._terms.top_k) if cap is not None]
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
        # Now, not when the first step is asked for: whoever closes another stream after this call
        # may rely on it being known as replaced.
        return self._stoppable(prompt, top_k, max_tokens, self._memory.refer(prompt), stop)

    def close(self) -> None:
        """Close the connections; requests under way and pauses end at once."""
        self._channel.close()

    def _stoppable(
        self,
        prompt: tuple[int, ...],
        k: int,
        max_tokens: int,
        known: Reference | None,
        stop: Stop | None,
    ) -> Generator[CloudStep, None, None]:
        with either(self._channel.closed, stop) as both:
            yield from self._resumed(prompt, k, max_tokens, known, both)

    def _resumed(
        self, prompt: tuple[int, ...], k: int, max_tokens: int, known: Reference | None, stop: Stop
    ) -> Generator[CloudStep, None, None]:
        """Attempts, each from where the last one broke."""
        given: list[int] = []
        tries = Tries(self._patience, stop)
        alone = False  # whether the next position is asked for by itself
        while len(given) < max_tokens:
            before, most = len(given), 1 if alone else max_tokens - len(given)
            begun = self._memory.begin((*prompt, *given))
            try:
                with closing(self._attempt(begun, k, most, known, stop)) as steps:
                    for step in steps:
                        tries.progressed()
                        if len(given) == max_tokens:  # more than was asked for
                            return
                        given.append(step.token)
                        yield step
                full = len(prompt) + len(given) == self.info().context_length
                cut_short = alone or len(given) - before == self._terms.max_tokens
                if full or begun.replaced or not cut_short:
                    return
                alone = False
            except HiddenTokenError:
                if most == 1:
                    raise CloudProtocolError("The server hides a token.", dialects.FLAGS) from None
                alone = True
            except (AgainError, CloudProtocolError) as error:
                if begun.replaced:  # nobody waits for the rest
                    return
                if len(given) < max_tokens:  # otherwise only the end of the stream is missing
                    tries.failed(self._again(error))
            known = None  # whatever broke, the whole prefix is safe

    def _again(self, error: AgainError | CloudProtocolError) -> AgainError:
        """What to make of a failure; an unusable answer of a server that can do better may pass."""
        if isinstance(error, AgainError):
            return error
        if not self._waiting.met:
            raise error
        return AgainError(error, lasting=True)

    def _attempt(
        self, begun: Known, k: int, max_tokens: int, known: Reference | None, stop: Stop
    ) -> Generator[CloudStep, None, None]:
        """One stream; asked again in simpler terms where the server refuses ours."""
        info, prompt = self._described(stop), tuple(begun.ids)
        if not info.continues:
            known = None
        if info.context_length is not None and not info.continues:
            # some servers refuse what may not fit; our own stops where the context is full
            max_tokens = max(min(max_tokens, info.context_length - len(prompt)), 1)
        while True:
            compact, cap = self._terms.compact, self.info().max_top_k
            asked = k if cap is None else min(k, cap)
            most = self._terms.limit(max_tokens)
            if known is not None:
                body = known.body() | {"max_tokens": most, "logprobs": asked}
            else:
                body = self._body(prompt, asked, most, compact=compact)
            with self._channel.post("completions", prompt, body, stop) as (response, exchange):
                status = response.status_code
                if status == httpx.codes.OK:
                    answer = Answer(response, exchange)
                    try:
                        yield from self._steps(answer, begun, asked, most, stop, compact=compact)
                        return
                    except LateRefusalError as late:
                        status, text = late.status, late.text
                else:
                    text = read_text(response, exchange)
            if known is not None and status in (400, 404):
                self._memory.forget(known.known)  # the server was started anew, say
                known = None
            elif status in TRANSIENT:
                raise transient(response, text)
            else:
                self._terms.adapt(status, text, asked, most, compact=compact)

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
        self, answer: Answer, begun: Known, k: int, most: int, stop: Stop, *, compact: bool
    ) -> Iterator[CloudStep]:
        """The steps of one answer, ``most`` at most; raises AgainError if it breaks off."""
        info, count, prompt = self.info(), 0, tuple(begun.ids)
        seal = StreamChecksum(prompt) if compact and info.continues else None
        try:
            for choice in until_finished(answer.choices(), seal):
                found = dialects.steps(choice, k, info.vocab_size)
                if dialects.hidden(choice, count + len(found)):
                    raise HiddenTokenError
                for step in found:
                    if not step.top_ids.size:
                        raise CloudProtocolError(
                            "The server sends no log-probabilities.", dialects.FLAGS
                        )
                    count += 1
                    self._waiting.answered(prompt)
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

    def _leave(self, answer: Answer, *, ended: bool) -> None:
        """Keep the connection of an answer that the server ends now, or have another ready."""
        if ended:
            answer.drain()
        elif not self.info().continues:
            self._channel.warm()

    def _ask_info(self, stop: Stop) -> CloudInfo:
        tries = Tries(self._patience, stop)
        while True:
            try:
                with self._channel.get("models", stop) as (response, exchange):
                    text = read_text(response, exchange)
                if response.status_code in TRANSIENT:
                    raise transient(response, text)
                return read_info(response, text, self._model)
            except AgainError as failure:
                tries.failed(failure)
            except CloudProtocolError as error:
                tries.failed(AgainError(error, lasting=True))
