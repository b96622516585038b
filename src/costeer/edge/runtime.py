"""The Python API: both models opened, text streamed, statistics kept.

Three levels, each built on the one before: ``decode.generate_step`` yields tokens,
``Costeer.stream`` text, and ``Costeer.generate`` returns the finished answer.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Generator, Sequence
from contextlib import closing
from functools import partial
from weakref import WeakSet

from costeer.cloud.base import CloudModel
from costeer.cloud.cancellation import Stop
from costeer.decoding.sampling import SamplingParams
from costeer.decoding.strength import resolve_strength
from costeer.edge.answer import Beginning, Generation, Result
from costeer.edge.connect import connect, recommended_strength
from costeer.edge.decode import generate_step
from costeer.edge.lanes import Lanes
from costeer.edge.live_delta import LiveDelta
from costeer.edge.prompts import Prompts, build_for, extend, messages
from costeer.edge.protection import Protection
from costeer.edge.schedule import StrengthRecord, StrengthSchedule
from costeer.edge.verify import DecodeParams, Mode, Step, checked_mode
from costeer.edge.writing import AnswerWriter
from costeer.models.base import LanguageModel, Message
from costeer.privacy.budget import Budget
from costeer.privacy.guard import Guard, GuardMode, checked_guard
from costeer.privacy.ledger import Ledger
from costeer.settings import Settings


class Costeer:
    """A private assistant: a small model on this device steers a large one elsewhere.

    Args:
        cloud: the large model: the URL of a completions server, "in-process", or a ``CloudModel``.
        slm: the small model: a catalog name, a file, or a ``LanguageModel``; None for the default.
        llm: the large model: the one to load for "in-process", or the name to ask a server for.
        strength: how strongly the context steers: one of ``decoding.strength.NAMES``, or a number,
            which is the gain itself. Default: what the catalog recommends for the pair.
        top_k: log-probabilities requested at first; more where the proof needs them.
        context_length: tokens that each model holds.
        threads: for each model in this process; default: the physical cores, shared by both.
        api_key: for a server that wants one.
        mode: "run-ahead" (the LLM drafts, and is corrected) or "lockstep" (a round trip per token).
            The same text where the server's numbers do not depend on how a position is asked for.
        retries: failures of the cloud in a row before giving up, with growing pauses.
        guard: how values of the person are kept: a mode of ``privacy.guard``, or a ``Guard``.
        epsilon: the cap in nats (``decoding.cap``), or a ``Budget``; it samples, in lockstep.
        lanes: answers steered at the same time; each holds ``context_length`` tokens twice.
        keep_bytes: bytes of request bodies that ``ledger.bodies`` keeps, as they were sent.
        quiet: send nothing of an answer before the small model has read its private prompt.

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
        lanes: int = 2,
        keep_bytes: int = 0,
        quiet: bool = False,
    ) -> None:
        self.protection = Protection(guard, epsilon)
        # Bad values are reported before models are loaded, which takes seconds.
        DecodeParams(
            resolve_strength(0.0 if strength is None else strength).factor, top_k, mode=mode
        )
        self.ledger = Ledger(most_bytes=keep_bytes)
        self.cloud, self.slm, self.note = connect(
            cloud,
            slm,
            llm=llm,
            record=self.ledger.record,
            context_length=context_length,
            threads=threads,
            api_key=api_key,
            retries=retries,
            lanes=lanes,
        )
        self.strength: float | str = (
            recommended_strength(llm, self.cloud, self.slm) if strength is None else strength
        )
        self.top_k = top_k
        self.mode: Mode = mode
        self.quiet = quiet
        self.lanes = Lanes(self.slm, lanes)
        self._lock = threading.Lock()
        self._answers: WeakSet[Generation] = WeakSet()

    @classmethod
    def from_settings(
        cls,
        settings: Settings,
        *,
        guard: Guard | None = None,
        budget: Budget | None = None,
        lanes: int = 1,
        keep_bytes: int = 0,
    ) -> Costeer:
        """Open both models as the settings say; a guard and a budget replace the settings' own."""
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
            lanes=lanes,
            keep_bytes=keep_bytes,
            quiet=settings.quiet,
        )

    def stream(
        self,
        query: str | Sequence[Message],
        context: str = "",
        *,
        max_tokens: int | None = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        strength: float | str | StrengthRecord | None = None,
        stop: Sequence[str] = (),
        shorten: bool = False,
        answer_guard: GuardMode | None = None,
        beginning: Beginning | None = None,
        candidates: int = 0,
        priority: int = 0,
        keep_exchanges: bool = False,
    ) -> Generation:
        """Write an answer, chunk by chunk.

        Args:
            query: the question, or a conversation that ends with one. This leaves the device.
            context: private text about the person; records separated by blank lines. Stays.
            max_tokens: the most tokens of the answer; None for as many as there is room for.
            temperature: 0 is greedy.
            top_p: see ``decoding.sampling``.
            seed: of the device-side noise.
            strength: for this answer only; or the record of an earlier one (``Result.strengths``).
            stop: strings that end the answer.
            shorten: write fewer than ``max_tokens`` where there is no room for as many.
            answer_guard: the guard of this answer, where that of all answers is off.
            beginning: tokens that the answer goes on from (``Result.go_on``), without chunks.
            candidates: how many candidates each step describes (``Step.detail``).
            priority: of two answers that wait for a lane, the one with more goes first.
            keep_exchanges: keep the requests to the cloud in ``Result.exchanges``, as they were.

        Returns:
            A ``Generation``. Several may be under way, each iterated in its own thread.

        Raises:
            UsageError: at once, before any work. CloudError and ModelError come while iterating;
            ``result`` then holds the text so far.
        """
        ids = (begun := beginning or Beginning()).token_ids
        asked = self.strength if strength is None else strength
        schedule = StrengthSchedule(begun.strengths or asked, len(ids))
        if begun.strengths and isinstance(strength, (float, int, str)):
            schedule.change(strength)
        protected = self.protection.begin(messages(query), context, stop, begun, answer_guard)
        guarded, tokenizer = protected.guarded, self.slm.tokenizer
        texts, room = (guarded.messages, guarded.context), self.room(0)
        prompts, most = build_for(tokenizer, *texts, room, max_tokens, len(ids), shorten)
        params = DecodeParams(
            gain=1.0,  # what ``LiveDelta`` returns is scaled already
            top_k=self.top_k,
            max_tokens=most,
            sampling=SamplingParams(temperature, top_p, seed),
            eos_ids=tokenizer.eos_ids | self.cloud.info().eos_ids,
            mode=self.mode,
            first=len(ids),
            candidates=candidates,
            quiet=self.quiet,
        )
        params = protected.apply(params)
        result = Result(
            token_ids=list(ids),
            prompt_tokens=len(prompts.public),
            strength=str(asked) if isinstance(asked, (float, int, str)) else "recorded",
            gain=schedule.first.gain,
            mode=params.mode,
            guard=protected.guard.mode,
            note=" ".join(filter(None, (guarded.note, prompts.note))),
            strengths=schedule.record,
            conversation=guarded.conversation,
        )
        take_lane = partial(self.lanes.lane, stop=(cancelled := Stop()), priority=priority)
        lane = (take_lane, schedule, self.slm.vocab_size, ids, begun.recent)
        delta = LiveDelta(*lane, **protected.reading)
        steps = self._steps(delta, extend(prompts, ids), params, result, cancelled)
        noted = self.ledger, params, protected.display, result, cancelled
        writer = AnswerWriter(tokenizer, *noted, keep_exchanges=keep_exchanges)
        written = writer.chunks(prompts.public, protected.steps(steps, cancelled))
        chunks = protected.chunks(written, result)
        generation = Generation(chunks, result, cancelled, schedule)
        with self._lock:
            self._answers.add(generation)
        return generation

    def _steps(
        self, delta: LiveDelta, prompts: Prompts, params: DecodeParams, result: Result, stop: Stop
    ) -> Generator[Step, None, None]:
        with closing(delta):
            for step in generate_step(self.cloud, delta, prompts, params, stop):
                result.recent = delta.recent
                yield step

    def generate(
        self,
        query: str | Sequence[Message],
        context: str = "",
        *,
        max_tokens: int | None = 256,
        temperature: float = 0.0,
        top_p: float = 1.0,
        seed: int = 0,
        strength: float | str | StrengthRecord | None = None,
        stop: Sequence[str] = (),
        shorten: bool = False,
        answer_guard: GuardMode | None = None,
        beginning: Beginning | None = None,
        candidates: int = 0,
        priority: int = 0,
        keep_exchanges: bool = False,
    ) -> Result:
        """Write the whole answer; arguments and errors as for ``stream``."""
        answer = self.stream(
            query,
            context,
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            seed=seed,
            strength=strength,
            stop=stop,
            shorten=shorten,
            answer_guard=answer_guard,
            beginning=beginning,
            candidates=candidates,
            priority=priority,
            keep_exchanges=keep_exchanges,
        )
        deque(answer, maxlen=0)
        return answer.result

    def room(self, max_tokens: int) -> int:
        """The most tokens of a prompt whose answer has ``max_tokens``."""
        limits = [self.slm.context_length, self.cloud.info().context_length or 1 << 30]
        return min(limits) - max_tokens

    def sent_texts(self) -> list[str]:
        """Return all text that the cloud has seen: each prompt and the accepted answer."""
        decode = self.slm.tokenizer.decode_bytes
        return [decode(ids).decode("utf-8", "replace") for ids in self.ledger.sequences()]

    def stop(self) -> None:
        """Stop all answers under way; from any thread."""
        with self._lock:
            answers = list(self._answers)
        for end in (Generation.stop, Generation.close):
            for answer in answers:
                end(answer)

    def close(self) -> None:
        """Stop, and free the models and the connection."""
        self.stop()
        self.lanes.close()
        self.slm.close()
        self.cloud.close()

    def __enter__(self) -> Costeer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
