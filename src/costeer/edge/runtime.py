"""The device's side as a whole: models and door opened, text streamed, statistics kept.

Three levels, each on the one before: ``decoder.generate_step`` gives tokens, ``Costeer.stream``
text, ``Costeer.generate`` the finished answer. Command line, gateway and experiments share these.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Sequence
from contextlib import ExitStack
from types import TracebackType

from costeer.cloud.base import CloudModel
from costeer.cloud.stop import Stop
from costeer.decoding.sampling import SamplingParams
from costeer.decoding.strength import AUTO, resolve_strength
from costeer.edge.answer import Chunk, Generation, Result
from costeer.edge.batch_size import Pace
from costeer.edge.connect import connect, recommended_strength
from costeer.edge.decode import generate_step
from costeer.edge.display import Display
from costeer.edge.prompts import Prompts, build
from costeer.edge.slm import DeltaSource, LocalSteering, NoSteering
from costeer.edge.verify import WIDEST, DecodeParams, Mode, Step
from costeer.edge.watch import WARNING, Watch
from costeer.exceptions import InputError, InterruptedModelError, StoppedError
from costeer.models.base import Interruptible, LanguageModel, Message
from costeer.privacy.budget import DRY, Budget
from costeer.privacy.guard import Guard, Guarded, GuardMode
from costeer.privacy.ledger import Ledger
from costeer.privacy.odometer import Odometer


class Costeer:
    """A private assistant: a small model on this device steers a large one elsewhere.

    Args:
        cloud: the LLM side: the URL of a completions server, "local" for a model in this process,
            or any ``CloudModel``.
        local: the small model: a catalog name, a file, or a ``LanguageModel``. Default: the
            small one of the default pair.
        llm: which large model: the one to load for "local", or the name to ask a server for.
        strength: how strongly the context steers: one of ``decoding.strength.NAMES``, or a number,
            which is the gain itself. Default: what the catalog recommends for the pair.
        top_k: log-probabilities asked for at first; more where the proof needs them.
        context_length: tokens that each model holds.
        threads: for each model in this process; default: one a physical core, shared between two.
        api_key: for a server that wants one.
        mode: "run-ahead" (the LLM writes on and is corrected) or "lockstep" (one round trip a
            token). Both give the same text where the server's numbers do not depend on how a
            position is asked for.
        exact: see ``DecodeParams``; False may be faster where the cloud is much faster than the
            small model.
        retries: failures of the cloud in a row that are borne, with growing pauses.
        guard: how values of the person are kept (``privacy.guard``), or a ``Guard``.
        epsilon: the cap on what all answers together may prove about the context, in nats
            (``decoding.cap``); needs a temperature, and decodes in lockstep. Default: none.
        odometer: what has been spent of it; the person's own by default.

    Raises:
        CoSteerError: no such model, no server, or two models that do not fit together.
    """

    def __init__(
        self,
        cloud: str | CloudModel = "local",
        local: str | LanguageModel | None = None,
        *,
        llm: str | None = None,
        strength: float | str | None = None,
        top_k: int = 64,
        context_length: int = 4096,
        threads: int | None = None,
        api_key: str | None = None,
        mode: Mode = "run-ahead",
        exact: bool = True,
        retries: int = 5,
        guard: GuardMode | Guard = "stand-in",
        epsilon: float | None = None,
        odometer: Odometer | None = None,
    ) -> None:
        self.guard = guard if isinstance(guard, Guard) else Guard(guard)
        self._budget = None if epsilon is None else Budget(epsilon, odometer or Odometer())
        # What is wrong with these is told before models are loaded.
        DecodeParams(
            resolve_strength(0.0 if strength is None else strength).factor, top_k, mode=mode
        )
        self.ledger = Ledger()
        self.cloud, self.model, self.note = connect(
            cloud,
            local,
            llm=llm,
            record=self.ledger.record,
            context_length=context_length,
            threads=threads,
            api_key=api_key,
            retries=retries,
        )
        self.strength: float | str = (
            recommended_strength(llm, self.cloud, self.model) if strength is None else strength
        )
        self.top_k = top_k
        self.mode: Mode = mode
        self.exact = exact
        self._watch = Watch() if self.guard.on or self._budget else None
        self._pace = Pace()
        self._steering = LocalSteering(self.model, exact=exact)
        self._current: Generation | None = None

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
        params = DecodeParams(
            gain=resolved.factor,
            top_k=self.top_k,
            max_tokens=max_tokens,
            sampling=SamplingParams(temperature, top_p, seed),
            eos_ids=self.model.tokenizer.eos_ids | self.cloud.info().eos_ids,
            mode="lockstep" if self._budget else self.mode,
            exact=self.exact,
            widest=self._widest(),
            watch=self._watch,
            budget=self._budget,
        )
        shown = _messages(query)
        guarded = self.guard.prepare(shown, context, stop)
        text = Display(guarded.stop, guarded.restorer)
        room = self.room(max_tokens)
        prompts = build(self.model.tokenizer, guarded.messages, guarded.context, room)
        result = Result(
            prompt_tokens=len(prompts.public),
            strength=str(chosen),
            gain=resolved.gain,
            mode=params.mode,
            note=" ".join(filter(None, (guarded.note, prompts.note))),
        )
        self._steering.params = resolved.auto
        self._steering.longest_copy = None if self._watch is None else AUTO.run
        self._steering.watch = self._watch
        given_up = Stop()
        chunks = self._chunks(prompts, params, text, result, given_up)
        chunks = self._remembered(chunks, shown, guarded, text, result)
        self._current = Generation(chunks, result, given_up)
        return self._current

    def generate(
        self, query: str | Sequence[Message], context: str = "", **options: object
    ) -> Result:
        """Write the whole answer; arguments as for ``stream``."""
        generation = self.stream(query, context, **options)  # type: ignore[arg-type]  # passed on
        for _ in generation:
            pass
        return generation.result

    def room(self, max_tokens: int) -> int:
        """The most tokens a prompt may have when the answer may have ``max_tokens``."""
        limits = [self.model.context_length, self.cloud.info().context_length or 1 << 30]
        return min(limits) - max_tokens

    def _widest(self) -> int | None:
        """The most log-probabilities asked for: with a guard or a budget, a public number."""
        if self._budget or self.guard.mode == "strict":
            return self.top_k
        return WIDEST * self.top_k if self.guard.on else None

    def sent_texts(self) -> list[str]:
        """All that the cloud has seen of you since the start, as text: each prompt, and its answer.

        Tokens of the LLM's own that were taken count too: it was not told otherwise.
        """
        decode = self.model.tokenizer.decode_bytes
        return [decode(ids).decode("utf-8", "replace") for ids in self.ledger.sequences()]

    def stop(self) -> None:
        """Stop the answer under way, if there is one; from any thread."""
        current, self._current = self._current, None
        if current is not None:
            current.close()

    def close(self) -> None:
        """Stop, and free the models and the connection."""
        self.stop()
        self._steering.close()
        self.model.close()
        self.cloud.close()

    def __enter__(self) -> Costeer:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _remembered(
        self,
        chunks: Generator[Chunk, None, None],
        shown: Sequence[Message],
        guarded: Guarded,
        text: Display,
        result: Result,
    ) -> Generator[Chunk, None, None]:
        """The same chunks; in the end the guard keeps what the next turn has to send."""
        try:
            yield from chunks
        finally:
            chunks.close()
            self.guard.keep(shown, guarded, result.text, text.wire)

    def _chunks(
        self, prompts: Prompts, params: DecodeParams, text: Display, result: Result, stop: Stop
    ) -> Generator[Chunk, None, None]:
        before, started = self.ledger.totals, time.perf_counter()
        # Under a budget the small model works even for nothing: its silence would tell, too.
        idle = not params.budget and (params.gain == 0 or prompts.plain == prompts.private)
        local: DeltaSource = NoSteering(self.model.vocab_size) if idle else self._steering
        # A pace of its own for no steering, which costs nothing and would spoil what is known.
        pace = None if idle else self._pace
        steps = generate_step(self.cloud, local, prompts, params, pace, stop)
        result.finish_reason = "error"  # unless something better is known
        try:
            with ExitStack() as stack:
                if isinstance(self.model, Interruptible):
                    stack.enter_context(stop.calling(self.model.interrupt))
                if params.budget:
                    params.budget.odometer.acquire()
                    stack.callback(params.budget.odometer.release)
                for step in steps:
                    yield self._chunk(step, params, text, result, time.perf_counter() - started)
                    if text.stopped:
                        return
        except (StoppedError, InterruptedModelError):
            if not stop.is_set():
                raise
            result.finish_reason = "interrupted"
        except (GeneratorExit, KeyboardInterrupt):
            if result.finish_reason == "error":
                result.finish_reason = "interrupted"
            raise
        finally:
            stop.set()
            steps.close()
            self.ledger.taken((*prompts.public, *result.token_ids))
            result.text += text.feed(b"", final=True)
            result.warning = self._warning(params)
            spent = self.ledger.totals - before
            result.requests, result.bytes_up = spent.requests, spent.bytes_up
            result.bytes_down = spent.bytes_down
            result.seconds = time.perf_counter() - started
            result.tokens_per_second = result.steps / result.seconds

    def _warning(self, params: DecodeParams) -> str:
        tripped = params.watch is not None and params.watch.tripped
        dry = params.budget is not None and params.budget.dry
        return " ".join([WARNING] * tripped + [DRY] * dry)

    def _chunk(
        self, step: Step, params: DecodeParams, text: Display, result: Result, seconds: float
    ) -> Chunk:
        """Count a step and turn it into text."""
        result.count(step, seconds)
        ended = step.token in params.eos_ids
        last = ended or result.steps == params.max_tokens
        raw = b"" if ended else self.model.tokenizer.decode_bytes([step.token])
        shown = text.feed(raw, final=last)
        result.text += shown
        if ended or text.stopped:
            result.finish_reason = "stop"
        elif last:
            result.finish_reason = "length"
        return Chunk(shown, step)


def _messages(query: str | Sequence[Message]) -> Sequence[Message]:
    if isinstance(query, str):
        return [{"role": "user", "content": query}]
    for message in query:
        if message.get("role") not in {"system", "user", "assistant"}:
            raise InputError("A message has no role of system, user or assistant.")
        if not isinstance(message.get("content"), str):
            raise InputError("A message has no text as its content.")
    return query
