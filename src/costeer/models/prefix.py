"""Prefix reuse that never changes a row: a row depends on the ids before it and on nothing else.

Engines round differently in calls of different sizes. So the calls that evaluate a prompt are a
function of its ids alone (``CanonicalCalls``), wherever and after whatever it is evaluated:

- an *answer* (what follows the ids by which a chat template opens the model's turn, up to an end of
  text) is evaluated one id at a time, as when it was written;
- everything between answers is evaluated in calls of ``CHUNK`` ids, the last of which is shorter.

Work is reused only where these calls did it. So a later turn evaluates only what is new, and an
answer that continues elsewhere, after a crash say, gets the rows it would have had. The price: if a
conversation is no longer in memory, its earlier answers are evaluated one id at a time.

Shared by the device, the in-process cloud and the server. Knows only token ids.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from costeer.exceptions import CoSteerError
from costeer.models.base import Call, LanguageModel, LogProbs, Tokenizer, TokenSequence

CHUNK = 128
"""Prompt tokens per engine call; other requests may run between two calls. With 512 a prompt is
read 3 % faster on a CPU, and a repeated query has more to read again."""


def common_length(left: Sequence[object], right: Sequence[object]) -> int:
    """Count the leading items that two sequences have in common."""
    length = min(len(left), len(right))
    if tuple(left[:length]) == tuple(right[:length]):
        return length
    return next(i for i in range(length) if left[i] != right[i])


class CanonicalCalls:
    """The calls by which prompts of one model are evaluated.

    Args:
        model: for one whose calls are not ``repeatable``, anything held is reused.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._repeatable = model.repeatable
        self._exact = model.exact_batch
        self._opening = _opening(model.tokenizer)
        self._ends = model.tokenizer.eos_ids

    def rewind(self, sequence: TokenSequence, prompt: Sequence[int]) -> list[Sequence[int]]:
        """Truncate ``sequence`` to the work that ``prompt`` can reuse.

        The last prompt id is always evaluated again, because its row is what is asked for.

        Returns:
            The rest of the prompt in pieces, each for one ``extend``.
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

    def prefill(self, sequence: TokenSequence, prompt: Sequence[int]) -> LogProbs:
        """Bring ``sequence`` to ``prompt``; return the row (V,) after it."""
        for piece in self.rewind(sequence, prompt):
            rows = sequence.extend(piece, rows=1)
        row: LogProbs = rows[-1]
        return row

    def required_calls(self, ids: Sequence[int]) -> list[Call] | None:
        """Return the calls whose row after ``ids`` may be reused; None if any calls' may."""
        return self.calls(ids) if self._repeatable else None

    def calls(self, ids: Sequence[int]) -> list[Call]:
        """Return the call that evaluates each of ``ids``."""
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

    def _pieces(self, planned: Sequence[Call], start: int) -> Iterator[Call]:
        """Yield the calls from ``start`` on; join single ones where that changes no row."""
        most = min(self._exact, CHUNK) if self._repeatable else CHUNK
        while start < len(planned):
            end = planned[start][1]
            if end - start == 1:
                while end < min(start + most, len(planned)) and planned[end] == (end, end + 1):
                    end += 1
            yield start, end
            start = end

    def _stretches(self, ids: tuple[int, ...]) -> Iterator[tuple[int, int, bool]]:
        """Yield (start, end, whether it is an answer) for each stretch of ``ids``."""
        start = 0
        while (begin := _find(ids, self._opening, start)) is not None:
            yield start, begin, False
            start = next((i for i in range(begin, len(ids)) if ids[i] in self._ends), len(ids))
            yield begin, start, True
        yield start, len(ids), False


def _opening(tokenizer: Tokenizer) -> tuple[int, ...]:
    """Return the ids by which a chat template opens the model's turn; () if that is unclear."""
    try:
        one, other = (tokenizer.chat([{"role": "user", "content": word}]) for word in ("a", "b"))
    except CoSteerError:  # no template, or one that takes other conversations only
        return ()
    length = common_length(one[::-1], other[::-1])
    opening = tuple(one[len(one) - length :])
    plain = len(opening) == 1 and tokenizer.decode_bytes(opening)
    return () if plain else opening  # a single ordinary token may occur anywhere


def _find(ids: tuple[int, ...], wanted: tuple[int, ...], start: int) -> int | None:
    """Return where the first ``wanted`` from ``start`` on ends, or None."""
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
