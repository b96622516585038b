"""The LLM side over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. What may differ between servers is
in ``dialects`` (answers) and ``refusals`` (errors); HTTP itself is in ``channel``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A request that fails before its first step is repeated with growing pauses (``retrying``); one that
dies later is taken up again from the prompt and the tokens so far, so that the steps are those of
an undisturbed stream. A stream that ends after an end-of-text token says so in the same chunk, so
that a connection cut right after it is not mistaken for an unfinished one. What our own server
sends is believed only with its checksum (``seal``); how long silence is borne is in ``waiting``.

Our own server is spared repetition: a prompt that continues an earlier response refers to it
(``known``), the stream is compressed, and a response that such a request replaces is read to its
end, so that its connection stays open. Other servers are left by closing the connection; a new one
is then made ready in the background, for the next time.
"""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from collections.abc import Sequence as AbstractSequence
from contextlib import closing
from dataclasses import replace

import httpx

from costeer.cloud import dialects, wire
from costeer.cloud.answers import Answer, HiddenTokenError, read_text, until_finished
from costeer.cloud.base import CloudInfo, CloudStep, Recorder
from costeer.cloud.cards import read_info
from costeer.cloud.channel import Channel
from costeer.cloud.inprocess import check_request
from costeer.cloud.known import Known, Memory, Reference
from costeer.cloud.refusals import TRANSIENT, logprobs_cap, refused, too_long, transient
from costeer.cloud.retrying import AgainError, Patience, Tries
from costeer.cloud.seal import Seal
from costeer.cloud.waiting import Waiting
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
        retries: failures in a row that are borne (see ``retrying``).
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
        self._closed = threading.Event()
        self._info: CloudInfo | None = None
        self._cap: int | None = None  # top k that the server was seen to allow
        self._compact = True  # until the server refuses the field
        self._memory = Memory()

    def info(self) -> CloudInfo:
        """See ``CloudModel``; what ``/v1/models`` does not say is None."""
        if self._info is None:
            self._info = self._ask_info()
            self._channel.ours = self._info.continues
        caps = [cap for cap in (self._info.max_top_k, self._cap) if cap is not None]
        return replace(self._info, max_top_k=min(caps, default=None))

    def stream(
        self, prompt_ids: AbstractSequence[int], top_k: int, max_tokens: int
    ) -> Generator[CloudStep, None, None]:
        """See ``CloudModel``. Closing the generator closes the connection at once.

        Raises:
            ParameterError: no prompt, or ``top_k`` or ``max_tokens`` below 1.
            CloudUnreachableError: no connection, or it kept breaking.
            CloudRefusedError: an error status.
            CloudProtocolError: an answer without usable log-probabilities.
            NotFiniteError: NaN among them.
        """
        prompt = tuple(int(i) for i in prompt_ids)
        check_request(prompt, top_k, max_tokens)
        # Now, not when the first step is asked for: whoever closes another stream after this call
        # may rely on it being known as replaced.
        return self._resumed(prompt, top_k, max_tokens, self._memory.refer(prompt))

    def close(self) -> None:
        """Close the connections; pauses before a repetition end at once."""
        self._closed.set()
        self._channel.close()

    def _resumed(
        self, prompt: tuple[int, ...], k: int, max_tokens: int, known: Reference | None
    ) -> Generator[CloudStep, None, None]:
        """Attempts, each from where the last one broke."""
        given: list[int] = []
        tries = Tries(self._patience, self._closed)
        alone = False  # whether the next position is asked for by itself
        while len(given) < max_tokens:
            most = 1 if alone else max_tokens - len(given)
            begun = self._memory.begin((*prompt, *given))
            try:
                with closing(self._attempt(begun, k, most, known)) as steps:
                    for step in steps:
                        tries.progressed()
                        if len(given) == max_tokens:  # more than was asked for
                            return
                        given.append(step.token)
                        yield step
                if not alone or len(prompt) + len(given) == self.info().context_length:
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
        self, begun: Known, k: int, max_tokens: int, known: Reference | None
    ) -> Generator[CloudStep, None, None]:
        """One stream; asked again in simpler terms where the server refuses ours."""
        info, prompt = self.info(), tuple(begun.ids)
        if not info.continues:
            known = None
        if info.context_length is not None and not info.continues:
            # vLLM refuses what may not fit; our own server stops where the context is full
            max_tokens = max(min(max_tokens, info.context_length - len(prompt)), 1)
        while True:
            compact, cap = self._compact, self.info().max_top_k
            asked = k if cap is None else min(k, cap)
            if known is not None:
                body = known.body() | {"max_tokens": max_tokens, "logprobs": asked}
            else:
                body = self._body(prompt, asked, max_tokens, compact=compact)
            with self._channel.post("completions", prompt, body) as (response, exchange):
                if response.status_code == httpx.codes.OK:
                    answer = Answer(response, exchange)
                    yield from self._steps(answer, begun, asked, compact=compact)
                    return
                text = read_text(response, exchange)
            if known is not None and response.status_code in (400, 404):
                self._memory.forget(known.known)  # the server was started anew, say
                known = None
            else:
                self._adapt(response, text, asked, compact=compact)

    def _adapt(self, response: httpx.Response, text: str, asked: int, *, compact: bool) -> None:
        """Change how we ask, if the refusal is about that; raise it otherwise."""
        error = refused(response, text)
        if error.status in TRANSIENT:
            raise transient(response, text)
        if error.status not in (400, 422):
            raise error
        cap = logprobs_cap(text, asked)
        if cap is not None:
            self._cap = cap
        elif compact and not too_long(text):
            self._compact = False
        elif "logprobs" in text and asked > 1:  # a cap that the words do not tell
            self._cap = next(cap for cap in (20, 5, 1) if cap < asked)
        else:
            self._compact = True  # it was not the field
            raise error

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

    def _steps(self, answer: Answer, begun: Known, k: int, *, compact: bool) -> Iterator[CloudStep]:
        """The steps of one answer; raises AgainError if it breaks off."""
        info, count, prompt = self.info(), 0, tuple(begun.ids)
        seal = Seal(prompt) if compact and info.continues else None
        try:
            for choice in until_finished(answer.choices(), seal):
                found = dialects.steps(choice, k, info.vocab_size)
                if dialects.hidden(choice, count + len(found)):
                    raise HiddenTokenError
                for step in found:
                    count += 1
                    self._notice(len(step.top_ids), k, info.vocab_size)
                    self._waiting.answered(prompt)
                    begun.add(answer.id, step.token)
                    yield step
        except GeneratorExit:
            if not info.continues:
                self._channel.warm()
            elif begun.replaced:
                answer.drain()
            raise
        finally:
            begun.live = False
        if not count:
            raise CloudProtocolError("The server ended the answer without a token.", dialects.FLAGS)

    def _notice(self, given: int, asked: int, vocab_size: int | None) -> None:
        """Remember a server that silently gives fewer log-probabilities than asked for."""
        if not given:
            raise CloudProtocolError("The server sends no log-probabilities.", dialects.FLAGS)
        if given < asked and given != vocab_size:
            self._cap = given

    def _ask_info(self) -> CloudInfo:
        tries = Tries(self._patience, self._closed)
        while True:
            try:
                with self._channel.get("models") as (response, exchange):
                    text = read_text(response, exchange)
                if response.status_code in TRANSIENT:
                    raise transient(response, text)
                return read_info(response, text, self._model)
            except AgainError as failure:
                tries.failed(failure)
            except CloudProtocolError as error:
                tries.failed(AgainError(error, lasting=True))
