"""A rule by words: more gain for words of the private text, until the answer has them.

    score = log pi_0 + g(x) * (log P_SLM,with - max(log P_SLM,without, floor))
    g(x)  = up    where x stands in the private text and becomes likelier, until the answer has it,
            down  where x stands in the private text and becomes less likely,
            gain  for every other token,
            and nothing above 0 for an x that would copy on where the answer has copied a run.

Its numbers were fitted to the likelihood of CoGenesis' references, where it closes more of the gap
than any constant gain, but it respects hardly any everyday request (docs/strength.md). It is kept
for comparison (docs/likelihood.md).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costeer.decoding.auto import end_copies, following
from costeer.decoding.steering import Array, delta
from costeer_evals.methods.base import Rows, Rule, require_count
from costeer_evals.methods.context import ContextMethod


@dataclass(frozen=True)
class OwnWords(ContextMethod):
    """The rule above.

    Attributes:
        gain: for tokens that are not in the private text.
        up: for tokens in it that the context makes likelier, until the answer has them.
        down: for tokens in it that the context makes less likely.
        floor: in nats; the log-probability without the context counts as at least this.
        run: how many tokens in a row of the private text the answer may copy with help.
    """

    name = "own-words"
    title = "Own words"
    gain: float = 0.4
    up: float = 0.85
    down: float = 0.2
    floor: float = -12.0
    run: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        require_count("run", self.run)

    def start_rule(self, text: Sequence[int]) -> Rule:
        return _OwnWordsRule(self, text)


class _OwnWordsRule:
    """The rule in the middle of one text."""

    def __init__(self, method: OwnWords, text: Sequence[int]) -> None:
        self._method = method
        self._own = np.unique(np.asarray(text, dtype=np.int64))
        self._after = following(text, method.run)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        rows = self._method.check_rows(rows)
        bonus = self._bonus(rows["slm_with"], rows["slm_without"], answer)
        bonus += rows["llm_without"]
        return bonus

    def _bonus(self, with_context: Array, without_context: Array, answer: Sequence[int]) -> Array:
        method = self._method
        result = delta(with_context, np.maximum(without_context, np.float32(method.floor)))
        own = result[:, self._own]
        starts = range(len(answer) - len(own) + 1, len(answer) + 1)
        said = np.stack([np.isin(self._own, answer[:end]) for end in starts])
        raised = np.where(said, method.gain, method.up)
        own *= np.where(own > 0, raised, method.down).astype(np.float32)
        result *= np.float32(method.gain)
        result[:, self._own] = own
        end_copies(result, answer, self._after, method.run)
        return result
