"""CoSteer at any gain, and AdaCoSteer, the authors' variant that stops steering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from costeer.decoding.steering import LIGHT, PAPER, Array, delta, gain, score
from costeer_evals.methods.base import (
    Branch,
    Method,
    Rows,
    Rule,
    require_count,
    require_number,
)
from costeer_evals.prompts import TokenPrompts

LIGHT_GAIN = gain(LIGHT)
PAPER_GAIN = gain(PAPER)


@dataclass(frozen=True)
class CoSteer(Method):
    """log pi = log P_LLM + g (log P_SLM,with - log P_SLM,without): arXiv 2507.04756, equation 8.

    g = 0.476 is LightCoSteer (T = 1), g = 1.783 the paper's T = 20; see ``steering.gain``.
    """

    name = "costeer"
    gain: float = PAPER_GAIN

    def __post_init__(self) -> None:
        require_number("gain", self.gain)

    @property
    def needs(self) -> frozenset[Branch]:
        return frozenset({"llm_without", "slm_with", "slm_without"})

    @property
    def label(self) -> str:
        known = {LIGHT_GAIN: "LightCoSteer", PAPER_GAIN: "CoSteer"}
        return known.get(self.gain, f"CoSteer (gain {self.gain:g})")

    def combine(self, rows: Rows) -> Array:
        change = delta(rows["slm_with"], rows["slm_without"])
        return score(rows["llm_without"], change, self.gain)


@dataclass(frozen=True)
class AdaCoSteer(CoSteer):
    """CoSteer until the LLM was sure for ``patience`` tokens in a row, then only the LLM.

    Source: codes/abstract_adacosteer.py of github.com/USTC-StarTeam/CoSteer, with its defaults
    (sure: max P_LLM above 0.9). The token that completes the run is already the LLM's own.
    """

    name = "adacosteer"
    threshold: float = 0.9
    patience: int = 3

    def __post_init__(self) -> None:
        CoSteer.__post_init__(self)
        require_number("threshold", self.threshold, 0, 1)
        require_count("patience", self.patience)

    @property
    def label(self) -> str:
        return "AdaCoSteer" + ("" if self.gain == PAPER_GAIN else f" (gain {self.gain:g})")

    def begin(self, prompts: TokenPrompts | None = None) -> Rule:
        return _AdaCoSteerRule(self)

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        return _AdaCoSteerRule(self).scores(rows)


class _AdaCoSteerRule:
    """AdaCoSteer in one text: the run of sure tokens, and whether steering has stopped."""

    def __init__(self, method: AdaCoSteer) -> None:
        self._method = method
        self._streak = 0
        self._stopped = False

    def scores(self, rows: Rows, answer: Sequence[int] = ()) -> Array:
        llm = self._method.check_rows(rows)["llm_without"]
        result = self._method.combine(rows)
        sure = np.exp(llm.max(axis=-1, initial=-np.inf)) > self._method.threshold
        for i, now in enumerate(sure):
            self._streak = self._streak + 1 if now else 0
            self._stopped = self._stopped or self._streak >= self._method.patience
            if self._stopped:
                result[i:] = llm[i:]
                break
        return result
