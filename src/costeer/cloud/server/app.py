"""A small OpenAI-compatible completions server over any ``LanguageModel``.

``POST /v1/completions``, ``GET /v1/models``, ``GET /health``. The formats are in ``requests``
and ``chunks``, sharing of the model is in ``scheduler``, access control in ``serving.guard``.

Where log-probabilities are requested, the end-of-text token is a step of its own, with its top k:
the device decides whether to stop. Errors before the first token are real 4xx or 5xx responses;
later ones are a JSON frame, then ``[DONE]``. Request contents are never logged and never quoted in
an error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from costeer.cloud.row_cache import ROWS
from costeer.cloud.server.chunks import ChunkBuilder, WholeBuilder, frame_sizes, usage
from costeer.cloud.server.errors import api_error
from costeer.cloud.server.jobs import Job
from costeer.cloud.server.reader import Reader
from costeer.cloud.server.requests import CompletionRequest, Limits, continuation, parse
from costeer.cloud.server.responses import ResponseStore
from costeer.cloud.server.scheduler import Scheduler
from costeer.cloud.wire.checksum import StreamChecksum
from costeer.exceptions import CoSteerError
from costeer.models.base import LanguageModel
from costeer.models.text import TextStream
from costeer.serving.body import error_handler, json_response, read_json
from costeer.serving.errors import ApiError
from costeer.serving.event_stream import EventStream, watch
from costeer.serving.guard import LOOPBACK_NAMES, HostGuard
from costeer.serving.padded_gzip import PaddedGzip

log = logging.getLogger("costeer.server")


def create_app(
    model: LanguageModel,
    *,
    api_key: str | None = None,
    limits: Limits | None = None,
    hosts: Collection[str] | None = LOOPBACK_NAMES,
) -> Starlette:
    """Create the server as an ASGI application; its lifespan runs the thread that owns ``model``.

    Args:
        model: closed by the caller, after the application has shut down.
        api_key: required as ``Authorization: Bearer KEY`` everywhere except on ``/health``.
        limits: what one client may ask for.
        hosts: names allowed in the Host header; None allows any (for a public address).
    """
    limits = _fit(limits or Limits(), model)
    scheduler = Scheduler(model, queue=limits.queue, window=limits.window)
    card = _card(model, limits)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        scheduler.start()
        try:
            yield
        finally:
            await anyio.to_thread.run_sync(scheduler.close)

    async def models(_: Request) -> Response:
        return json_response({"object": "list", "data": [card]})

    async def health(_: Request) -> Response:
        return json_response({"status": "ok"})

    completions = Completions(model, scheduler, limits)
    app = Starlette(
        routes=[
            Route("/v1/completions", completions, methods=["POST"]),
            Route("/v1/models", models, methods=["GET"]),
            Route("/health", health, methods=["GET"]),
        ],
        middleware=[Middleware(HostGuard, api_key=api_key, hosts=hosts)],
        exception_handlers=dict.fromkeys(
            (ApiError, HTTPException, CoSteerError), error_handler(api_error)
        ),
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.scheduler = scheduler
    app.state.completions = completions
    return app


def _fit(limits: Limits, model: LanguageModel) -> Limits:
    """Fill limits that are not set with those of the model."""
    return replace(
        limits,
        context=model.context_length,
        prompt_tokens=min(limits.prompt_tokens or model.context_length, model.context_length),
        logprobs=model.vocab_size if limits.logprobs is None else limits.logprobs,
    )


def _card(model: LanguageModel, limits: Limits) -> dict[str, Any]:
    """Build the entry of ``/v1/models``; ``costeer`` is our extension, ``max_model_len`` vLLM's."""
    return {
        "id": model.name,
        "object": "model",
        "created": 0,
        "owned_by": "costeer",
        "max_model_len": model.context_length,
        "costeer": {
            "tokenizer_fingerprint": model.tokenizer.vocabulary.fingerprint,
            "vocab_size": model.vocab_size,
            "context_length": model.context_length,
            "eos_ids": sorted(model.tokenizer.eos_ids),
            "max_logprobs": limits.logprobs,
            "continue": True,
            "remembered_steps": ROWS,
            "repeatable": model.repeatable,
        },
    }


class Completions:
    """``POST /v1/completions`` as an ASGI application."""

    def __init__(self, model: LanguageModel, scheduler: Scheduler, limits: Limits) -> None:
        self._model = model
        self._scheduler = scheduler
        self._limits = limits
        self.responses = ResponseStore()
        tokens = model.tokenizer.vocabulary.tokens
        self._longest = max(len(token.encode("utf-8", "replace")) for token in tokens)
        self._tokenizing = anyio.CapacityLimiter(1)  # an unusual megabyte takes seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; its slot is always freed."""
        body = await read_json(scope, receive, self._limits.body_bytes)
        continued = continuation(body)
        if continued is not None:
            body = self.responses.expand(body, continued)
        request = parse(body, self._limits)
        reader = Reader(self._scheduler, await self._job(request))
        watching = asyncio.create_task(watch(receive, reader.abandon))
        try:
            self._scheduler.submit(reader.job)
            await self._answer(self._chunks(request, reader, body), request, scope, receive, send)
        except TimeoutError:  # uvicorn cuts a connection whose response has no end
            log.warning("a client that read nothing was disconnected")
        except (ApiError, CoSteerError):
            raise
        except Exception as error:  # noqa: BLE001 - an engine's message may quote the request
            log.error("a request failed: %s", type(error).__name__)
            raise api_error(error) from None
        finally:
            watching.cancel()
            self._scheduler.cancel(reader.job)

    async def _job(self, request: CompletionRequest) -> Job:
        if request.model not in (None, self._model.name):
            message = "There is no such model here; see /v1/models."
            raise ApiError(404, message, code="model_not_found", param="model")
        eos = self._model.tokenizer.eos_ids
        return Job(
            prompt=await self._prompt(request.prompt),
            top_k=max(request.logprobs or 0, 1),
            max_tokens=request.max_tokens,
            stop_ids=frozenset() if request.ignore_eos else eos,
            notify=lambda: None,
        )

    async def _prompt(self, prompt: str | tuple[int, ...]) -> tuple[int, ...]:
        most = self._limits.prompt_tokens or self._model.context_length
        if isinstance(prompt, str):
            if len(prompt.encode()) > most * self._longest:
                message = f"The prompt is too long; this server takes {most:,} tokens."
                raise ApiError(400, message, code="context_length_exceeded", param="prompt")
            encode = partial(self._model.tokenizer.encode, prompt)
            ids = tuple(await anyio.to_thread.run_sync(encode, limiter=self._tokenizing))
        else:
            ids = prompt
        if min(ids, default=-1) < 0 or max(ids) >= self._model.vocab_size:
            raise ApiError(400, "prompt holds an id outside the vocabulary.", param="prompt")
        if len(ids) > most:
            message = f"The prompt has {len(ids):,} tokens; this server takes {most:,}."
            raise ApiError(400, message, code="context_length_exceeded", param="prompt")
        return ids

    async def _answer(
        self,
        chunks: AsyncIterator[dict[str, Any]],
        request: CompletionRequest,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        if not request.stream:
            whole = WholeBuilder()
            async for chunk in chunks:
                if "usage" in chunk:  # the last chunk; missing if the client is gone
                    body = whole.body(chunk["usage"])
                    await Response(body, media_type="application/json")(scope, receive, send)
                else:
                    whole.add(chunk)
            return
        first = await anext(chunks, None)  # errors up to here are real error responses
        if first is not None:
            # Only our own client certainly reads a compressed stream without delay.
            accepted = Headers(scope=scope).get("accept-encoding", "")
            gzip = None
            if request.compact and "gzip" in accepted:
                gzip = PaddedGzip(*frame_sizes(request.logprobs or 0, self._model.name))
            stream = EventStream(send, self._limits.stall_seconds, gzip=gzip, describe=api_error)
            await stream.run(first, chunks)

    async def _chunks(
        self, request: CompletionRequest, reader: Reader, body: Mapping[str, Any]
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the chunks; the last one, for whole answers or on request, is the usage.

        Yields nothing more once the client is gone.
        """
        tokenizer, job = self._model.tokenizer, reader.job
        text = TextStream(request.stop)
        answer = ChunkBuilder(
            request, self._model.name, tokenizer, text, StreamChecksum(job.prompt)
        )
        count = 0
        with self.responses.open(answer.id, body, job.prompt, reader.replace) as ids:
            async for step, reason in reader.steps():
                count += 1
                ids.append(step.token)
                yield answer.chunk(step, reason)
                if text.stopped:
                    break
        if reader.replaced:
            yield answer.frame("", None, "replaced")
        elif job.cancelled:
            return
        if request.include_usage or not request.stream:
            yield answer.wrap([]) | {"usage": usage(len(job.prompt), count, job.cached)}
