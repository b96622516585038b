"""The LLM side over HTTP: any OpenAI-compatible completions server that takes token ids.

Knows token ids only; has no tokenizer and no way to send text. What may differ between servers is
in ``dialects`` (answers) and ``refusals`` (errors); bytes are counted in ``traffic``.
Shapes: https://platform.openai.com/docs/api-reference/completions/create.

A request that fails before its first step is repeated with growing pauses; one that dies later is
taken up again from the prompt and the tokens so far, so that the steps are those of an undisturbed
stream. A stream that ends after an end-of-text token says so in the same chunk, so that a
connection cut right after it is not mistaken for an unfinished one.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Generator, Iterator
from collections.abc import Sequence as AbstractSequence
from contextlib import closing, contextmanager, suppress
from typing import Any

import httpx

from costeer.cloud import dialects, wire
from costeer.cloud.base import CloudInfo, CloudStep, Recorder
from costeer.cloud.cards import read_info
from costeer.cloud.inprocess import check_request
from costeer.cloud.refusals import TRANSIENT, logprobs_cap, refused, retry_after
from costeer.cloud.sse import BrokenStreamError, EventParser
from costeer.cloud.traffic import Exchange
from costeer.exceptions import (
    CloudError,
    CloudProtocolError,
    CloudRefusedError,
    CloudUnreachableError,
    UsageError,
)

LONGEST_PAUSE = 8.0  # seconds


class _AgainError(Exception):
    """Worth another try; ``final`` is what to raise when there is none left."""

    def __init__(self, final: CloudError, pause: float = 0.0) -> None:
        super().__init__()
        self.final = final
        self.pause = pause


class CompletionsClient:
    """``CloudModel`` over HTTP. May be used from several threads.

    Args:
        url: of the server, with or without ``/v1``.
        model: which of the server's models; its first one by default.
        api_key: sent as ``Authorization: Bearer``.
        record: called once for every HTTP exchange.
        timeout: seconds without a byte after which the server counts as gone.
        retries: failures in a row that are borne.
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
        retries: int = 3,
        backoff: float = 0.25,
    ) -> None:
        self._base = api_base(url)
        self._model = model
        self._record = record
        self._retries = retries
        self._backoff = backoff
        self._info: CloudInfo | None = None
        self._cap: int | None = None  # top k that the server was seen to allow
        self._compact = True  # until the server refuses the field
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout, connect=min(timeout, 10.0)), headers=_headers(api_key)
        )

    def info(self) -> CloudInfo:
        """See ``CloudModel``; what ``/v1/models`` does not say is None."""
        if self._info is None:
            self._info = self._ask_info()
        known = self._info.max_top_k
        caps = [cap for cap in (known, self._cap) if cap is not None]
        return CloudInfo(
            model=self._info.model,
            vocab_size=self._info.vocab_size,
            fingerprint=self._info.fingerprint,
            context_length=self._info.context_length,
            max_top_k=min(caps, default=None),
        )

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
        """Close the connections."""
        self._http.close()

    def _resumed(
        self, prompt: tuple[int, ...], k: int, max_tokens: int
    ) -> Generator[CloudStep, None, None]:
        """Attempts, each from where the last one broke."""
        given: list[int] = []
        failures = 0
        while len(given) < max_tokens:
            try:
                with closing(self._attempt((*prompt, *given), k, max_tokens - len(given))) as steps:
                    for step in steps:
                        failures = 0
                        given.append(step.token)
                        yield step
                return
            except _AgainError as broken:
                failures += 1
                self._pause(failures, broken)

    def _pause(self, failures: int, broken: _AgainError) -> None:
        if failures > self._retries:
            raise broken.final from None
        pause = min(self._backoff * 2 ** (failures - 1), LONGEST_PAUSE)
        time.sleep(max(pause * random.uniform(0.5, 1.5), broken.pause))  # noqa: S311 - jitter

    def _attempt(
        self, prompt: tuple[int, ...], k: int, max_tokens: int
    ) -> Generator[CloudStep, None, None]:
        """One stream; asked again in simpler terms where the server refuses ours."""
        info = self.info()
        while True:
            compact, cap = self._compact, self.info().max_top_k
            asked = k if cap is None else min(k, cap)
            body = self._body(prompt, asked, max_tokens, compact=compact)
            with self._exchange("POST", "completions", prompt, body) as (response, exchange):
                if response.status_code == httpx.codes.OK:
                    yield from self._steps(response, exchange, asked, info.vocab_size)
                    return
                text = _text(response)
            self._adapt(response, text, asked, compact=compact)

    def _adapt(self, response: httpx.Response, text: str, asked: int, *, compact: bool) -> None:
        """Change how we ask, if the refusal is about that; raise it otherwise."""
        error = refused(response, text)
        if error.status in TRANSIENT:
            raise _AgainError(error, retry_after(response))
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
        self, response: httpx.Response, exchange: Exchange, k: int, vocab_size: int | None
    ) -> Iterator[CloudStep]:
        """The steps of one answer; raises _AgainError if it breaks off."""
        count, finished = 0, False
        for choice in _choices(response, exchange):
            for step in dialects.steps(choice, k, vocab_size):
                count += 1
                self._notice(len(step.top_ids), k, vocab_size)
                yield step
            finished = finished or choice.get("finish_reason") is not None
        if not finished:
            raise _broken()
        if not count:
            raise CloudProtocolError("The server ended the answer without a token.", dialects.FLAGS)

    def _notice(self, given: int, asked: int, vocab_size: int | None) -> None:
        """Remember a server that silently gives fewer log-probabilities than asked for."""
        if not given:
            raise CloudProtocolError("The server sends no log-probabilities.", dialects.FLAGS)
        if given < asked and given != vocab_size:
            self._cap = given

    def _ask_info(self) -> CloudInfo:
        failures = 0
        while True:
            try:
                with self._exchange("GET", "models", (), b"") as (response, _):
                    text = _text(response)
                if response.status_code in TRANSIENT:
                    raise _AgainError(refused(response, text), retry_after(response))
                return read_info(response, text, self._model)
            except _AgainError as broken:
                failures += 1
                self._pause(failures, broken)

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
            extensions={"trace": exchange.trace},
        )
        try:
            response = self._http.send(request, stream=True)
            exchange.opened(response)
            with closing(response):
                yield response, exchange
        except (httpx.ConnectError, httpx.ConnectTimeout):
            raise _AgainError(_nobody(self._base)) from None
        except (httpx.TransportError, httpx.DecodingError, BrokenStreamError):
            raise _broken() from None
        finally:
            exchange.finish()


def api_base(url: str) -> str:
    """``http(s)://host[:port][/prefix]/v1`` for a URL given with or without ``/v1``.

    Raises:
        UsageError: another scheme, no host, or credentials, a query or a fragment in it.
    """
    hint = "Give something like http://127.0.0.1:8081 or https://host/v1."
    try:
        parsed = httpx.URL(url.strip())
    except (httpx.InvalidURL, TypeError):
        raise UsageError("The cloud URL cannot be understood.", hint) from None
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise UsageError("The cloud URL must begin with http:// or https://.", hint)
    if parsed.userinfo or parsed.query or parsed.fragment:
        raise UsageError(
            "The cloud URL must not hold credentials, a query or a fragment.",
            "Give the key with COSTEER_API_KEY.",
        )
    base = str(parsed).rstrip("/").removesuffix("/completions")
    return base if base.endswith("/v1") else f"{base}/v1"


def _headers(api_key: str | None) -> dict[str, str]:
    # identity: a proxy that compresses would hold tokens back
    headers = {"accept-encoding": "identity", "user-agent": "costeer"}
    if api_key:
        if not api_key.isascii() or not api_key.isprintable():
            raise UsageError("The API key holds characters that no key has.", "Copy it again.")
        headers["authorization"] = f"Bearer {api_key}"
    return headers


def _nobody(base: str) -> CloudUnreachableError:
    return CloudUnreachableError(
        f"No server answers at {base}.", "Start one with `costeer serve`, or check the URL."
    )


def _broken() -> _AgainError:
    return _AgainError(
        CloudUnreachableError(
            "The connection to the cloud server broke.",
            "Check the server and the network, then try again.",
        )
    )


def _text(response: httpx.Response) -> str:
    return response.read().decode("utf-8", "replace")


def _choices(response: httpx.Response, exchange: Exchange) -> Iterator[dict[str, Any]]:
    """The first choice of every chunk, up to ``[DONE]`` or the end of the stream."""
    kind = response.headers.get("content-type", "")
    if not kind.startswith("text/event-stream"):
        raise CloudProtocolError("The server does not stream its answer.", "Check the URL.")
    parser = EventParser()
    pieces = response.iter_bytes()
    for piece in pieces:
        exchange.piece(len(piece))
        for data in parser.feed(piece):
            if data == "[DONE]":
                with suppress(httpx.TransportError):  # read out, so that the connection is kept
                    for rest in pieces:
                        exchange.piece(len(rest))
                return
            choice = _choice(data)
            if choice is not None:
                yield choice


def _choice(data: str) -> dict[str, Any] | None:
    """The choice in one event; None if it has none (a usage chunk)."""
    try:
        chunk = json.loads(data)
    except (ValueError, RecursionError):
        raise BrokenStreamError("not JSON") from None
    if not isinstance(chunk, dict):
        raise CloudProtocolError("The server's answer is no completion.", "Check the URL.")
    if chunk.get("error") is not None or chunk.get("object") == "error":
        error = CloudRefusedError(
            "The cloud server failed in the middle of an answer.",
            "Its own log says more.",
            status=500,
        )
        raise _AgainError(error)
    choices = chunk.get("choices")
    if not isinstance(choices, list) or (choices and not isinstance(choices[0], dict)):
        raise CloudProtocolError("The server's answer is no completion.", "Check the URL.")
    return choices[0] if choices else None
