"""Reuse of work already done, so that a row depends on the ids before it and on nothing else.

Engines round differently in calls of different sizes. So the calls that evaluate a prompt are a
function of its ids (``Canonical``), the same wherever it is evaluated and whatever was before:

- what a chat template opens for the model to write, up to an end of text, goes one id at a time,
  as when it was written (an *answer*: of an earlier turn, or the one under way);
- the stretches between answers go in calls of ``CHUNK`` ids, the last of each being shorter.

Work is reused only where it was done by these calls. So a later turn reads only what is new, and an
answer that goes on elsewhere, after a crash say, gets the rows that it would have had. The price: a
conversation that is nowhere in memory has its earlier answers read one id at a time.

Shared by the device, the in-process cloud and the server. Knows only token ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as AbstractSequence

from costeer.exceptions import CoSteerError
from costeer.models.base import Call, LanguageModel, LogProbs, Sequence, Tokenizer

CHUNK = 128
"""Prompt tokens evaluated in one engine call; between two of them others may have their turn. With
512 a prompt is read 3 % faster on a CPU, and a query asked again has more to read again."""


def common_length(left: AbstractSequence[object], right: AbstractSequence[object]) -> int:
    """How many leading items the two have in common."""
    length = min(len(left), len(right))
    if tuple(left[:length]) == tuple(right[:length]):
        return length
    return next(i for i in range(length) if left[i] != right[i])


class Canonical:
    """The calls by which prompts of one model are evaluated.

    Args:
        model: for one whose calls are not ``repeatable``, anything held is reused.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._repeatable = model.repeatable
        self._exact = model.exact_batch
        self._opening = _opening(model.tokenizer)
        self._ends = model.tokenizer.eos_ids

    def rewind(
        self, sequence: Sequence, prompt: AbstractSequence[int]
    ) -> list[AbstractSequence[int]]:
        """Truncate ``sequence`` to the work that ``prompt`` can reuse.

        The last prompt id is always evaluated again, because its row is what is asked for.

        Returns:
            The rest of the prompt in pieces, each for an ``extend`` of its own.
        """
        planned = self.calls(prompt)
        kept = common_length(sequence.ids, prompt)
        if self._repeatable:
            kept = common_length(sequence.calls[:kept], planned[:kept])
        kept = min(kept, len(prompt) - 1)
        kept = min(kept, planned[kept][0])  # never within a call
        if kept < len(sequence):
            sequence.truncate(kept)
        return [prompt[start:end] for start, end in self._pieces(planned, kept)]

    def prefill(self, sequence: Sequence, prompt: AbstractSequence[int]) -> LogProbs:
        """Bring ``sequence`` to ``prompt``; the (V,) row that follows it."""
        for piece in self.rewind(sequence, prompt):
            rows = sequence.extend(piece, rows=1)
        row: LogProbs = rows[-1]
        return row

    def calls(self, ids: AbstractSequence[int]) -> list[Call]:
        """For each of ``ids``, the call that evaluates it."""
        if not self._repeatable:
            return [(i, i + 1) for i in range(len(ids))]
        planned: list[Call] = []
        for start, end, answer in self._stretches(tuple(ids)):
            step = 1 if answer else CHUNK
            for first in range(start, end, step):
                last = min(first + step, end)
                if last - first <= self._exact:  # the engine evaluates them one by one
                    planned += [(i, i + 1) for i in range(first, last)]
                else:
                    planned += [(first, last)] * (last - first)
        return planned

    def _pieces(self, planned: AbstractSequence[Call], start: int) -> Iterator[Call]:
        """The calls from ``start`` on, with as many single ones together as changes no row."""
        most = min(self._exact, CHUNK) if self._repeatable else CHUNK
        while start < len(planned):
            end = planned[start][1]
            if end - start == 1:
                while end < min(start + most, len(planned)) and planned[end] == (end, end + 1):
                    end += 1
            yield start, end
            start = end

    def _stretches(self, ids: tuple[int, ...]) -> Iterator[tuple[int, int, bool]]:
        """(start, end, whether it is an answer) of each stretch of ``ids``."""
        start = 0
        while (begin := _find(ids, self._opening, start)) is not None:
            yield start, begin, False
            start = next((i for i in range(begin, len(ids)) if ids[i] in self._ends), len(ids))
            yield begin, start, True
        yield start, len(ids), False


def _opening(tokenizer: Tokenizer) -> tuple[int, ...]:
    """The ids by which a chat template opens the model's turn; () where that is not to be told."""
    try:
        one, other = (tokenizer.chat([{"role": "user", "content": word}]) for word in ("a", "b"))
    except CoSteerError:  # no template, or one that takes other conversations only
        return ()
    length = common_length(one[::-1], other[::-1])
    opening = tuple(one[len(one) - length :])
    plain = len(opening) == 1 and tokenizer.decode_bytes(opening)
    return () if plain else opening  # one ordinary token may stand anywhere


def _find(ids: tuple[int, ...], wanted: tuple[int, ...], start: int) -> int | None:
    """Where the first ``wanted`` from ``start`` on ends."""
    if not wanted:
        return None
    while True:
        try:
            at = ids.index(wanted[0], start)
        except ValueError:
            return None
        if ids[at : at + len(wanted)] == wanted:
            return at + len(wanted)
        start = at + 1
