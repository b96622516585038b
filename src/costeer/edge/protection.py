"""What keeps private text on the device while an answer is written: guard, watch and budget.

The guard decides what models read, the watch whether the cloud's rows can be meant, the budget how
a token is drawn. Which of them apply is decided here, once for all answers.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import replace

from costeer.decoding.strength import AUTO
from costeer.edge.answer import Chunk, Result
from costeer.edge.display import Display
from costeer.edge.verify import WIDEST, DecodeParams, Step
from costeer.edge.watch import WARNING, Watch
from costeer.models.base import Message
from costeer.privacy.budget import DRY, Budget
from costeer.privacy.guard import Guard, Guarded, GuardMode
from costeer.privacy.odometer import Odometer


class Protection:
    """Guard, watch and budget of all answers.

    Args:
        guard: a mode of ``privacy.guard``, or a guard.
        epsilon: the cap of ``decoding.cap``; None for none.
        odometer: what has been spent of it; the person's own by default.

    Attributes:
        guard: rewrites requests.
        watch: None where nothing is guarded and nothing capped.
        longest_copy: tokens of private text in a row that steering helps to copy; None for any.
    """

    def __init__(
        self, guard: GuardMode | Guard, epsilon: float | None, odometer: Odometer | None
    ) -> None:
        self.guard = guard if isinstance(guard, Guard) else Guard(guard)
        self._budget = None if epsilon is None else Budget(epsilon, odometer or Odometer())
        self.watch = Watch() if self.guard.on or self._budget else None
        self.longest_copy = AUTO.run if self.watch else None

    @property
    def capped(self) -> bool:
        """Whether there is a budget; then the small model works even where it has nothing to say,
        because its silence would tell, too."""
        return self._budget is not None

    def apply(self, params: DecodeParams) -> DecodeParams:
        """The parameters of the next answer, with what protection asks for.

        Raises:
            ParameterError: they cannot go with a budget.
        """
        if self.watch is not None:
            self.watch.begin()
        mode = params.mode if self._budget is None else "lockstep"
        widest = self._widest(params.top_k)
        return replace(params, mode=mode, widest=widest, watch=self.watch, budget=self._budget)

    def steps(self, steps: Generator[Step, None, None]) -> Generator[Step, None, None]:
        """The same steps; while they are made, nobody else spends from the budget."""
        if self._budget is None:
            yield from steps
            return
        self._budget.odometer.acquire()
        try:
            yield from steps
        finally:
            steps.close()
            self._budget.odometer.release()

    def chunks(
        self,
        chunks: Generator[Chunk, None, None],
        shown: Sequence[Message],
        guarded: Guarded,
        display: Display,
        result: Result,
    ) -> Generator[Chunk, None, None]:
        """The same chunks; at the end the guard keeps what the next turn has to send."""
        try:
            yield from chunks
        finally:
            chunks.close()
            result.warning = self._warning()
            self.guard.keep(shown, guarded, result.text, display.wire)

    def _widest(self, top_k: int) -> int | None:
        """The most log-probabilities asked for: a public number, wherever anything is protected."""
        if self._budget or self.guard.mode == "strict":
            return top_k
        return WIDEST * top_k if self.guard.on else None

    def _warning(self) -> str:
        tripped = self.watch is not None and self.watch.tripped
        dry = self._budget is not None and self._budget.dry
        return " ".join([WARNING] * tripped + [DRY] * dry)
