"""The Python API: both models opened, text streamed, statistics kept.

Three levels, each built on the one before: ``decode.generate_step`` yields tokens,
``Costeer.stream`` text, and ``Costeer.generate`` returns the finished answer.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from costeer.cloud.base import CloudModel
from costeer.cloud.stop import Stop
from costeer.decoding.sampling import SamplingParams
from costeer.decoding.strength import Strength, resolve_strength
from costeer.edge.answer import Generation, Result
from costeer.edge.connect import connect, recommended_strength
from costeer.edge.decode import generate_step
from costeer.edge.prompts import Prompts, build
from costeer.edge.protection import ProtectedAnswer, Protection
from costeer.edge.slm import DeltaSource, NoSteering, SlmDelta, SlmPair
from costeer.edge.verify import DecodeParams, Mode, checked_mode
from costeer.edge.writing import AnswerWriter
from costeer.exceptions import InputError
from costeer.models.base import LanguageModel, Message
from costeer.privacy.budget import Budget
from costeer.privacy.guard import Guard, GuardMode, checked_guard
from costeer.privacy.ledger import Ledger
from costeer.settings import Settings


class Costeer:
    """A private assistant: a small model on this device steers a large one elsewhere.

    Args:
        cloud: where the large model is: the URL of a completions server, "in-process", or any
            ``CloudModel``.
        slm: the small model: a catalog name, a file, or a ``LanguageModel``. Default: the small
            one of the default pair.
        llm: the large model: the one to load for "in-process", or the name to ask a server for.
        strength: how strongly the context steers: one of ``decoding.strength.NAMES``, or a number,
            which is the gain itself. Default: what the catalog recommends for the pair.
        top_k: log-probabilities requested at first; more where the proof needs them.
        context_length: tokens that each model holds.
        threads: for each model in this process; default: the physical cores, shared by both.
        api_key: for a server that wants one.
        mode: "run-ahead" (the LLM keeps drafting and is corrected) or "lockstep" (a round trip per
            token). Both give the same text where the server's numbers do not depend on how a
            position is asked for.
        retries: failures of the cloud in a row before giving up, with growing pauses.
        guard: how values of the person are kept: a mode of ``privacy.guard``, or a ``Guard``.
        epsilon: the cap on what all answers together may prove about the context, in nats
            (``decoding.cap``), or a ``Budget``; needs a temperature, and decodes in lockstep.
            Default: none.

    Raises:
        CoSteerError: no such model, no server, or two models that do not share a tokenizer.
    """

    def __init__(
        self,
        cloud: str | CloudModel = "in-process",
        slm: str | LanguageModel | None = None,
        *,
        llm: str | None = None,
        strength: float | str | None = None,
        top_k: int = 64,
        context_length: int = 4096,
        threads: int | None = None,
        api_key: str | None = None,
        mode: Mode = "run-ahead",
        retries: int = 5,
        guard: GuardMode | Guard = "stand-in",
        epsilon: float | Budget | None = None,
    ) -> None:
        self.protection = Protection(guard, epsilon)
        # Bad values are reported before models are loaded, which takes seconds.
        DecodeParams(
            resolve_strength(0.0 if strength is None else strength).factor, top_k, mode=mode
        )
        self.ledger = Ledger()
        self.cloud, self.slm, self.note = connect(
            cloud,
            slm,
            llm=llm,
            record=self.ledger.record,
            context_length=context_length,
            threads=threads,
            api_key=api_key,
            retries=retries,
        )
        self.strength: float | str = (
            recommended_strength(llm, self.cloud, self.slm) if strength is None else strength
        )
        self.top_k = top_k
        self.mode: Mode = mode
        self._pair = SlmPair(self.slm)
        self._current: Generation | None = None

    @classmethod
    def from_settings(
        cls, settings: Settings, guard: Guard | None = None, budget: Budget | None = None
    ) -> Costeer:
        """Open both models as the settings say.

        Args:
            settings: all but the following.
            guard: in place of one with the settings' mode.
            budget: in place of one with the settings' epsilon.

        Raises:
            CoSteerError: as for ``Costeer``.
        """
        return cls(
            settings.cloud,
            settings.slm,
            llm=settings.llm,
            strength=settings.strength,
            top_k=settings.top_k,
            threads=settings.threads,
            api_key=settings.api_key,
            mode=checked_mode(settings.mode),
            retries=settings.retries,
            guard=guard or checked_guard(settings.guard),
            epsilon=budget or settings.epsilon,
        )

    def stream(
        self,
        query: str | Sequence[Message],
        context: str = "",
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        strength: float | str | None = None,
        stop: Sequence[str] = (),
    ) -> Generation:
        """Write an answer, chunk by chunk.

        Args:
            query: the question, or a conversation that ends with one. This leaves the device.
            context: private text about the person; records separated by blank lines. Stays.
            max_tokens: the most tokens of the answer.
            temperature: 0 is greedy.
            top_p: see ``decoding.sampling``.
            seed: of the device-side noise.
            strength: for this answer only.
            stop: strings that end the answer.

        Returns:
            A ``Generation``. Starting another one stops this one.

        Raises:
            UsageError: at once, before any work. CloudError and ModelError come while iterating;
            ``result`` then holds the text so far.
        """
        self.stop()
        chosen = self.strength if strength is None else strength
        resolved = resolve_strength(chosen)
        unprotected = DecodeParams(
            gain=resolved.factor,
            top_k=self.top_k,
            max_tokens=max_tokens,
            sampling=SamplingParams(temperature, top_p, seed),
            eos_ids=self.slm.tokenizer.eos_ids | self.cloud.info().eos_ids,
            mode=self.mode,
        )
        protected = self.protection.begin(_messages(query), context, stop)
        params = protected.apply(unprotected)
        guarded = protected.guarded
        prompts = build(
            self.slm.tokenizer, guarded.messages, guarded.context, self.room(max_tokens)
        )
        result = Result(
            prompt_tokens=len(prompts.public),
            strength=str(chosen),
            gain=resolved.gain,
            mode=params.mode,
            note=" ".join(filter(None, (guarded.note, prompts.note))),
        )
        cancelled = Stop()
        delta = self._delta(prompts, resolved, protected)
        steps = protected.steps(generate_step(self.cloud, delta, prompts, params, cancelled))
        writer = AnswerWriter(self.slm, self.ledger, params, protected.display, result, cancelled)
        chunks = protected.chunks(writer.chunks(prompts.public, steps), result)
        self._current = Generation(chunks, result, cancelled)
        return self._current

    def _delta(
        self, prompts: Prompts, strength: Strength, protected: ProtectedAnswer
    ) -> DeltaSource:
        """What steers this answer."""
        idle = strength.gain == 0 or prompts.plain == prompts.private
        if idle and not protected.capped:
            return NoSteering(self.slm.vocab_size)
        return SlmDelta(
            self._pair,
            strength.auto,
            longest_copy=protected.longest_copy,
            watch=protected.watch,
            silent=idle,
        )

    def generate(
        self,
        query: str | Sequence[Message],
        context: str = "",
        *,
        max_tokens: int = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        strength: float | str | None = None,
        stop: Sequence[str] = (),
    ) -> Result:
        """Write the whole answer; arguments and errors as for ``stream``."""
        generation = self.stream(
            query,
            context,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            strength=strength,
            stop=stop,
        )
        for _ in generation:
            pass
        return generation.result

    def llm_alone(
        self, query: str | Sequence[Message], *, max_tokens: int = 256
    ) -> tuple[str, float]:
        """Let the large model write by itself, without steering.

        Returns:
            The text, and its tokens per second from the request to the end.

        Raises:
            CoSteerError: as for ``stream``.
        """
        tokenizer = self.slm.tokenizer
        prompts = build(tokenizer, _messages(query), "", self.room(max_tokens))
        started = time.perf_counter()
        steps = self.cloud.stream(prompts.public, 1, max_tokens)
        ids = [step.token for step in steps if step.token not in tokenizer.eos_ids]
        speed = len(ids) / (time.perf_counter() - started)
        return tokenizer.decode_bytes(ids).decode("utf-8", "replace"), speed

    def room(self, max_tokens: int) -> int:
        """The most tokens a prompt may have when the answer may have ``max_tokens``."""
        limits = [self.slm.context_length, self.cloud.info().context_length or 1 << 30]
        return min(limits) - max_tokens

    def sent_texts(self) -> list[str]:
        """Return all text that the cloud has seen since the start: each prompt and its answer.

        Includes accepted tokens of the LLM's own: the cloud knows them, as nothing corrected them.
        """
        decode = self.slm.tokenizer.decode_bytes
        return [decode(ids).decode("utf-8", "replace") for ids in self.ledger.sequences()]

    def stop(self) -> None:
        """Stop the answer under way, if there is one; from any thread."""
        current, self._current = self._current, None
        if current is not None:
            current.close()

    def close(self) -> None:
        """Stop, and free the models and the connection."""
        self.stop()
        self._pair.close()
        self.slm.close()
        self.cloud.close()

    def __enter__(self) -> Costeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _messages(query: str | Sequence[Message]) -> Sequence[Message]:
    if isinstance(query, str):
        return [{"role": "user", "content": query}]
    for message in query:
        if message.get("role") not in {"system", "user", "assistant"}:
            raise InputError("A message has no role of system, user or assistant.")
        if not isinstance(message.get("content"), str):
            raise InputError("A message has no text as its content.")
    return query
