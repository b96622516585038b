"""The LLM side over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. What may differ between servers is
in ``dialects`` (answers) and ``refusals`` (errors); bytes are counted in ``traffic``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A request that fails before its first step is repeated with growing pauses (``retrying``); one that
dies later is taken up again from the prompt and the tokens so far, so that the steps are those of
an undisturbed stream. A stream that ends after an end-of-text token says so in the same chunk, so
that a connection cut right after it is not mistaken for an unfinished one. What our own server
sends is believed only with its checksum (``seal``); how long silence is borne is in ``waiting``.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Iterator
from collections.abc import Sequence as AbstractSequence
from contextlib import closing, contextmanager
from dataclasses import replace

import httpx

from costeer.cloud import dialects, wire
from costeer.cloud.address import api_base, headers
from costeer.cloud.answers import (
    broken,
    nobody,
    read_choices,
    read_text,
    silent,
    until_finished,
)
from costeer.cloud.base import CloudInfo, CloudStep, Recorder
from costeer.cloud.cards import read_info
from costeer.cloud.inprocess import check_request
from costeer.cloud.refusals import TRANSIENT, logprobs_cap, refused, transient
from costeer.cloud.retrying import AgainError, Patience, Tries
from costeer.cloud.seal import Seal
from costeer.cloud.sse import BrokenStreamError
from costeer.cloud.traffic import Exchange
from costeer.cloud.waiting import Waiting
from costeer.exceptions import CloudProtocolError

CONNECT = 10.0  # seconds to make a connection


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
        self._base = api_base(url)
        self._model = model
        self._record = record
        self._patience = Patience(retries, backoff)
        self._waiting = Waiting(timeout, stall)
        self._closed = threading.Event()
        self._info: CloudInfo | None = None
        self._cap: int | None = None  # top k that the server was seen to allow
        self._compact = True  # until the server refuses the field
        self._http = httpx.Client(
            headers=headers(api_key),
            verify=self._base.startswith("https:"),  # otherwise the certificates cost 20 ms
        )

    def info(self) -> CloudInfo:
        """See ``CloudModel``; what ``/v1/models`` does not say is None."""
        if self._info is None:
            self._info = self._ask_info()
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
        return self._resumed(prompt, top_k, max_tokens)

    def close(self) -> None:
        """Close the connections; pauses before a repetition end at once."""
        self._closed.set()
        self._http.close()

    def _resumed(
        self, prompt: tuple[int, ...], k: int, max_tokens: int
    ) -> Generator[CloudStep, None, None]:
        """Attempts, each from where the last one broke."""
        given: list[int] = []
        tries = Tries(self._patience, self._closed)
        while len(given) < max_tokens:
            try:
                with closing(self._attempt((*prompt, *given), k, max_tokens - len(given))) as steps:
                    for step in steps:
                        tries.progressed()
                        if len(given) == max_tokens:  # more than was asked for
                            return
                        given.append(step.token)
                        yield step
                return
            except CloudProtocolError as error:
                if not self._waiting.met:
                    raise
                failure = AgainError(error, lasting=True)  # it can do better
            except AgainError as again:
                failure = again
            if len(given) < max_tokens:  # otherwise only the end of the stream is missing
                tries.failed(failure)

    def _attempt(
        self, prompt: tuple[int, ...], k: int, max_tokens: int
    ) -> Generator[CloudStep, None, None]:
        """One stream; asked again in simpler terms where the server refuses ours."""
        info = self.info()
        if info.context_length is not None and not self._ours:
            # vLLM refuses what may not fit; our own server stops where the context is full
            max_tokens = max(min(max_tokens, info.context_length - len(prompt)), 1)
        while True:
            compact, cap = self._compact, self.info().max_top_k
            asked = k if cap is None else min(k, cap)
            body = self._body(prompt, asked, max_tokens, compact=compact)
            with self._exchange("POST", "completions", prompt, body) as (response, exchange):
                if response.status_code == httpx.codes.OK:
                    seal = Seal(prompt) if compact and self._ours else None
                    for step in self._steps(response, exchange, asked, info.vocab_size, seal):
                        self._waiting.answered(prompt)
                        yield step
                    return
                text = read_text(response, exchange)
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
        elif compact and "context_length" not in text:
            self._compact = False
        elif "logprobs" in text and asked > 1:  # a cap that the words do not tell
            self._cap = next(cap for cap in (20, 5, 1) if cap < asked)
        else:
            self._compact = True  # it was not the field
            raise error

    def _body(self, prompt: tuple[int, ...], k: int, max_tokens: int, *, compact: bool) -> bytes:
        body = {
            "model": self._model or self.info().model,
            "prompt": prompt,
            "max_tokens": max_tokens,
            "temperature": 0,
            "logprobs": k,
            "stream": True,
            "return_tokens_as_token_ids": True,
        }
        if compact:
            body["logprobs_encoding"] = wire.ENCODING
        return json.dumps(body, separators=(",", ":")).encode()

    def _steps(
        self,
        response: httpx.Response,
        exchange: Exchange,
        k: int,
        vocab_size: int | None,
        seal: Seal | None,
    ) -> Iterator[CloudStep]:
        """The steps of one answer; raises AgainError if it breaks off."""
        count = 0
        for choice in until_finished(read_choices(response, exchange), seal):
            for step in dialects.steps(choice, k, vocab_size):
                count += 1
                self._notice(len(step.top_ids), k, vocab_size)
                yield step
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
                with self._exchange("GET", "models", (), b"") as (response, exchange):
                    text = read_text(response, exchange)
                if response.status_code in TRANSIENT:
                    raise transient(response, text)
                return read_info(response, text, self._model)
            except AgainError as failure:
                tries.failed(failure)
            except CloudProtocolError as error:
                tries.failed(AgainError(error, lasting=True))

    @property
    def _ours(self) -> bool:
        """Whether the server is one of our own."""
        return self._info is not None and self._info.fingerprint is not None

    def _timeout(self, prompt: tuple[int, ...]) -> httpx.Timeout:
        seconds = self._waiting.seconds(prompt)
        return httpx.Timeout(seconds, connect=min(seconds, CONNECT))

    @contextmanager
    def _exchange(
        self, method: str, path: str, token_ids: tuple[int, ...], body: bytes
    ) -> Iterator[tuple[httpx.Response, Exchange]]:
        """One request; whatever happens, the response is closed and the exchange recorded."""
        exchange = Exchange(f"{method} /v1/{path}", token_ids, body, self._record)
        request = self._http.build_request(
            method,
            f"{self._base}/{path}",
            content=body or None,
            headers={"content-type": "application/json"} if body else None,
            timeout=self._timeout(token_ids),
            extensions={"trace": exchange.trace},
        )
        try:
            response = self._http.send(request, stream=True)
            exchange.opened(response)
            if self._ours:  # the head comes with the first token
                request.extensions["timeout"]["read"] = self._waiting.between
            with closing(response):
                yield response, exchange
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise nobody(self._base, met=self._info is not None) from None
        except httpx.ReadTimeout:
            raise silent() from None
        except (httpx.TransportError, httpx.DecodingError, BrokenStreamError):
            raise broken() from None
        finally:
            exchange.finish()
