"""What keeps private text on the device while an answer is written: guard, watch and budget.

The guard decides what models read, the watch whether the cloud's rows can be meant, the budget how
a token is drawn. Which of them apply is decided here.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

from costeer.cloud.cancellation import Stop
from costeer.decoding.strength import AUTO
from costeer.edge.answer import Beginning, Chunk, Result
from costeer.edge.display import Display
from costeer.edge.prompts import with_instructions
from costeer.edge.verify import DecodeParams, Step
from costeer.edge.watch import WARNING, Watch
from costeer.exceptions import ParameterError
from costeer.models.base import Message
from costeer.privacy.budget import DRY, Budget
from costeer.privacy.guard import Guard, Guarded, GuardMode
from costeer.privacy.odometer import Odometer
from costeer.privacy.sending import describe_sent, sent_records

GUARDED_WIDEST = 1024
"""How many times ``top_k`` log-probabilities may be asked for where a value is guarded: a public
number. A stand-in, or a city that stays open, is often tens of thousands of places down in the
large model's list, and with a smaller number a broken word is written in its place."""


class Protection:
    """Guard, watch and budget of all answers.

    Args:
        guard: a mode of ``privacy.guard``, or a guard.
        epsilon: the cap of ``decoding.cap``, or a budget; None for none.

    Attributes:
        guard: rewrites requests.
        budget: draws tokens under the cap, if there is one.
        distrusted: whether the cloud's rows could once not be meant; then nothing steers any more.

    Raises:
        ParameterError: no such guard, or a cap that is none.
        GuardError: what was spent before cannot be read.
    """

    def __init__(self, guard: GuardMode | Guard, epsilon: float | Budget | None) -> None:
        self.guard = guard if isinstance(guard, Guard) else Guard(guard)
        if isinstance(epsilon, (int, float)):
            epsilon = Budget(epsilon, Odometer())
        self.budget: Budget | None = epsilon
        self.distrusted = False
        self._guards: dict[GuardMode, Guard] = {}  # of answers that asked for another one

    def guard_for(self, mode: GuardMode | None) -> Guard:
        """The guard of one answer: that of all answers where it is on, else of the mode asked for.

        Answers of one mode share a guard, which remembers what their conversations have sent.
        """
        if mode is None or self.guard.on or mode == self.guard.mode:
            return self.guard
        if mode not in self._guards:
            self._guards[mode] = self.guard.in_mode(mode)
        return self._guards[mode]

    def begin(
        self,
        messages: Sequence[Message],
        context: str,
        stop: Sequence[str],
        beginning: Beginning | None = None,
        mode: GuardMode | None = None,
    ) -> ProtectedAnswer:
        """Rewrite a request; an answer that goes on from another keeps its stand-ins.

        Records of the context that the person sends become part of the messages.

        ``mode`` is the guard that was chosen for this answer; who chose needs no note about it.

        Raises:
            GuardError: a value would be left somewhere.
            ParameterError: tokens were chosen by hand, or their stand-ins are forgotten.
        """
        begun = beginning or Beginning()
        guard = self.guard_for(mode)
        sent = sent_records(context)
        messages = with_instructions(messages, sent)
        guarded = guard.prepare(messages, context, stop, begun.conversation)
        notes = [] if mode is not None else [describe_sent(sent), guarded.note]
        guarded = replace(guarded, note=" ".join(filter(None, notes)))
        if begun.token_ids and self.budget is not None:
            raise ParameterError(
                "Under epsilon every token is drawn, so an answer cannot go on from chosen ones."
            )
        known = begun.conversation is not None or guarded.asked_before
        if begun.token_ids and guarded.active and not known:
            raise ParameterError(
                "The stand-ins of this answer are no longer known, so it cannot go on.",
                "Ask the question again.",
            )
        return ProtectedAnswer(self, guard, messages, guarded)


class ProtectedAnswer:
    """One answer under protection.

    Args:
        protection: of all answers.
        guard: of this one.
        shown: the messages as the person sees them.
        guarded: as models may read them.

    Attributes:
        watch: is there in every mode: a flat cloud would make the device write the context out.
        display: what the person sees of the answer.
    """

    def __init__(
        self, protection: Protection, guard: Guard, shown: Sequence[Message], guarded: Guarded
    ) -> None:
        self._protection = protection
        self.guard = guard
        self._shown = shown
        self.guarded = guarded
        self.watch = Watch(tripped=protection.distrusted)
        self.display = Display(guarded.stop, guarded.restorer)

    @property
    def reading(self) -> dict[str, Any]:
        """What ``LiveDelta`` has to heed.

        With a budget the small model is read even where it has nothing to say, because its silence
        would tell, too.
        """
        capped = self._protection.budget is not None
        return {
            "longest_copy": AUTO.run if self.guard.on or capped else None,
            "watch": self.watch,
            "always": capped,
        }

    def apply(self, params: DecodeParams) -> DecodeParams:
        """The parameters, with what protection asks for.

        Raises:
            ParameterError: they cannot go with a budget.
        """
        budget = self._protection.budget
        mode = params.mode if budget is None else "lockstep"
        widest = self._widest(params.top_k)
        return replace(params, mode=mode, widest=widest, watch=self.watch, budget=budget)

    def steps(self, steps: Generator[Step, None, None], stop: Stop) -> Generator[Step, None, None]:
        """The same steps; while they are made, no other answer spends from the budget.

        Args:
            steps: of one answer.
            stop: ends the wait for another answer that spends.

        Raises:
            BudgetBusyError: the other answer does not end.
            StoppedError: stopped while waiting.
        """
        budget = self._protection.budget
        if budget is None:
            yield from steps
            return

        def pause(seconds: float) -> None:
            stop.wait(seconds)
            stop.check()

        # Not inside the try: an answer that gives up waiting must not release the lock of another.
        budget.odometer.acquire(pause)
        try:
            yield from steps
        finally:
            steps.close()
            budget.odometer.release()

    def chunks(
        self, chunks: Generator[Chunk, None, None], result: Result
    ) -> Generator[Chunk, None, None]:
        """The same chunks; at the end the guard keeps what the next turn has to send."""
        try:
            yield from chunks
        finally:
            chunks.close()
            result.warning = self._warning()
            result.sent = self.display.wire
            self.guard.keep(self._shown, self.guarded, result.text, self.display.wire)

    def _widest(self, top_k: int) -> int | None:
        """The most log-probabilities asked for: a public number, wherever a value is guarded."""
        if self._protection.budget is not None or self.guard.mode == "strict":
            return top_k
        return GUARDED_WIDEST * top_k if self.guarded.active else None

    def _warning(self) -> str:
        protection = self._protection
        if self.watch.tripped:
            protection.distrusted = True
        dry = protection.budget is not None and protection.budget.dry
        return " ".join([WARNING] * protection.distrusted + [DRY] * dry)
